import { z } from 'zod';
import { defineStage } from '../stage.ts';

const config = z.strictObject({});

const metrics = z.object({ split: z.literal('validation') });

export type Config = z.output<typeof config>;

export type Reported = z.infer<typeof metrics>;

/**
 * Runs a model over the validation split. Only files with variants ask for it: whoever chooses one of several by the test split has
 * none left that says how good the chosen one is.
 */
export const validate = defineStage({
  uses: 'validate',
  version: 1,
  summary: 'Predictions on the validation split, by which one of several variants is chosen.',
  config,
  place: 'each-model',
  automatic: { options: ({ variants }) => (variants === undefined ? undefined : {}) },
  metrics,
  makes: 'predictions',
  draws: false,
  choosesEngine: true,
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  effort: (_, { validation }) => ({ asked: validation }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
