import { defineStrategy } from './strategy.ts';

/** Draws among the fewest tokens that together are as probable as this (Holtzman et al. 2020, arXiv 1904.09751). */
export const topP = defineStrategy({
  option: 'topP',
  summary: 'draw among the most probable tokens that come to this probability together',
  takes: { least: 0.000_001, most: 1, whole: false },
  draws: true,
  apply: (scores, given) => {
    const peak = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = scores.reduce((sum, score) => sum + Math.exp(score - peak), 0);
    const order = Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
    let before = 0;
    for (const id of order) {
      const probability = Math.exp((scores[id] as number) - peak) / total;
      if (before >= given) scores[id] = Number.NEGATIVE_INFINITY;
      before += probability;
    }
  },
});
