import { z } from 'zod';
import { trainingSummary } from '../../ground/reported/training.ts';
import { defineStage } from '../stage.ts';
import { seedOption } from '../train/seed.ts';
import { foreseeDistillation } from './foresee.ts';
import { distillationConfig } from './options.ts';
import { distillationEffort } from './select/option.ts';
import { teacherConfig } from './teachers.ts';
import { otherTokensIn } from './tokens.ts';
import { wireDistillation } from './wire.ts';

const config = z.strictObject({
  ...teacherConfig,
  seed: seedOption,
  ...distillationConfig,
});

export type Config = z.output<typeof config>;

/** What it leaves for the report. */
const reported = z.looseObject({ training: trainingSummary });

export type Reported = z.infer<typeof reported>;

/** Trains the model to say what a teacher says, on labelled and unlabelled texts alike. */
export const distill = defineStage({
  uses: 'distill',
  version: 7,
  summary: 'Trains a student to imitate a teacher on every training text, labelled or not.',
  config,
  place: 'named',
  metrics: reported,
  makes: 'model',
  takes: { model: 'floats' },
  draws: true,
  choosesEngine: true,
  trains: {
    when: () => true,
    pass: ({ batch, recompute }) => ({ batch, recompute }),
    training: async (...given) => (await import('./work.ts')).training(...given),
  },
  wire: (options, wiring) => wireDistillation(options, wiring),
  foresee: async (options, outlook) => {
    const seen = foreseeDistillation(options, outlook);
    return { ...seen, problems: [...(seen.problems ?? []), ...(await otherTokensIn(options, outlook))] };
  },
  effort: (options, texts) => distillationEffort(options, texts),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
