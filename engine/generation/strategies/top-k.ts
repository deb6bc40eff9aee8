import { defineStrategy } from './strategy.ts';

/** Draws among the k most probable tokens, and those as probable as the last of them (Fan et al. 2018, arXiv 1805.04833). */
export const topK = defineStrategy({
  option: 'topK',
  summary: 'draw among this many of the most probable tokens',
  takes: { least: 1, most: 1_000_000, whole: true },
  draws: true,
  apply: (scores, given) => {
    if (given >= scores.length) return;
    const bound = scores.toSorted()[scores.length - given] as number;
    for (let id = 0; id < scores.length; id++) {
      if ((scores[id] as number) < bound) scores[id] = Number.NEGATIVE_INFINITY;
    }
  },
});
