import { z } from 'zod';
import { type BaselineMetrics, baselineMetrics } from '../../ground/reported/data.ts';
import { defineStage } from '../stage.ts';

export type Reported = BaselineMetrics;

/**
 * What a reader compares the Transformer with, on the same labels and the same test split: the most frequent class, and
 * logistic regression for texts or a lexicon for words. Vectors have nothing to be compared with but their teacher.
 */
export const baseline = defineStage({
  uses: 'baseline',
  version: 5,
  summary: 'Majority class, and a linear bag-of-words model or a lexicon of words, on the same split.',
  config: z.strictObject({}),
  place: 'data',
  automatic: {
    section: {
      name: 'baseline',
      schema: z.enum(['simple', 'none']).default('simple'),
      summary:
        'What stands above the table to be beaten. simple: the most frequent class or the mean, and a linear bag of words or a lexicon of words; none: nothing.',
    },
    options: ({ baseline: asked }) => (asked === 'none' ? undefined : {}),
  },
  metrics: baselineMetrics,
  makes: 'predictions',
  draws: false,
  // How long an answer takes is the machine's.
  environment: 'machine',
  from: [],
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  effort: (_, { train, test }) => ({ read: train + test }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
