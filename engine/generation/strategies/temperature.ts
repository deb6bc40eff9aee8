import { defineStrategy } from './strategy.ts';

/** Draws from softmax(scores / T). */
export const temperature = defineStrategy({
  option: 'temperature',
  summary: 'draw tokens, and how daringly: 1 as probable as the model says, below 1 the more probable ones more often',
  takes: { least: 0.01, most: 100, whole: false },
  draws: true,
  apply: (scores, given) => {
    for (let id = 0; id < scores.length; id++) scores[id] = (scores[id] as number) / given;
  },
});
