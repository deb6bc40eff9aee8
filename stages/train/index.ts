import { z } from 'zod';
import { trainingSummary } from '../../ground/reported/training.ts';
import { defineStage } from '../stage.ts';
import { architecture, boundShape } from './architectures/index.ts';
import { wireAugmentations } from './augment.ts';
import { allTraining, trainingEffort } from './effort.ts';
import { foreseeTraining } from './foresee.ts';
import { trainingConfig } from './options.ts';
import { seedOption } from './seed.ts';

const config = z.strictObject({
  like: z
    .string()
    .optional()
    .describe(
      'id of a stage whose shape is trained from random weights: the control for what a model owes to its past',
    ),
  architecture: architecture.optional(),
  seed: seedOption,
  ...trainingConfig,
});

export type Config = z.output<typeof config>;

/** What it leaves for the report. */
const reported = z.looseObject({ training: trainingSummary });

export type Reported = z.infer<typeof reported>;

/** Trains a model on the labels: fine-tunes the one before, or starts a shape from random weights. */
export const trainStage = defineStage({
  uses: 'train',
  version: 7,
  summary: 'Trains on the labels: fine-tunes a model, or starts from random weights.',
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
  from: [],
  wire: ({ like, architecture: shape, ...options }, wiring) => {
    if (like !== undefined && shape !== undefined) {
      wiring.problem(['architecture'], 'a stage takes its shape from "like" or from "architecture", not from both');
    }
    const texts = { dataset: wiring.dataset(), ...wireAugmentations(options, { unlabelled: false }, wiring) };
    if (like !== undefined) return { ...texts, model: wiring.model(like, ['like']) };
    return shape === undefined ? { ...texts, model: wiring.previous() } : texts;
  },
  foresee: ({ architecture: shape, ...training }, { models, data, engine }) => {
    const model = shape === undefined ? models.model : boundShape(shape).expected(data?.maxLength);
    return foreseeTraining(training, 'train', { models: { ...models, model }, data, engine });
  },
  lengths: async ({ architecture: shape }, texts) =>
    shape === undefined ? undefined : (await import('./lengths.ts')).lengthsOfNew(shape, texts),
  effort: (options, texts) =>
    trainingEffort(options, options.task === undefined ? texts.train : allTraining(texts), texts),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
