import { defineStrategy } from './strategy.ts';

/** Scores of tokens that were written are divided by the penalty where they are positive, else multiplied (Keskar et al. 2019, arXiv 1909.05858). */
export const repetition = defineStrategy({
  option: 'repetition',
  summary: 'how much less probable tokens become that the text has already; 1 changes nothing',
  takes: { least: 0.01, most: 100, whole: false },
  draws: false,
  apply: (scores, given, written) => {
    for (const id of new Set(Array.from(written))) {
      const score = scores[id];
      if (score !== undefined) scores[id] = score > 0 ? score / given : score * given;
    }
  },
});
