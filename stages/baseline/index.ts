import { z } from 'zod';
import { defineStage } from '../stage.ts';

/**
 * What a reader compares the Transformer with, on the same labels and the same test split: the most frequent class, and
 * logistic regression for texts or a lexicon for words. Vectors have nothing to be compared with but their teacher.
 */
export const baseline = defineStage({
  uses: 'baseline',
  version: 3,
  summary: 'Majority class, and a linear bag-of-words model or a lexicon of words, on the same split.',
  config: z.strictObject({}),
  internal: true,
  makes: 'predictions',
  draws: false,
  environment: 'none',
  from: [],
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
