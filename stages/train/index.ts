import { z } from 'zod';
import type { Dataset } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { trainingSummary } from '../../ground/reported/training.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { reinitialize } from '../../models/reinitialize.ts';
import { defineStage } from '../stage.ts';
import { architecture, newEncoder } from './architecture.ts';
import { defaultRates, trainingConfig } from './options.ts';
import { runTraining } from './run.ts';

const config = z.strictObject({
  like: z
    .string()
    .optional()
    .describe(
      'id of a stage whose shape is trained from random weights: the control for what a model owes to its past',
    ),
  architecture: architecture.optional(),
  ...trainingConfig,
});

type Start = Pick<z.infer<typeof config>, 'like' | 'architecture'>;

/** What training starts from: a shape with random weights, or the model before as it is. */
const startOf = async (
  { like, architecture: shape }: Start,
  {
    input,
    dataset,
    seed,
  }: { readonly input: InputArtifact | undefined; readonly dataset: Dataset; readonly seed: number },
): Promise<Model> => {
  if (shape !== undefined) return newEncoder(shape, dataset, seed);
  if (input === undefined) throw new Error('train needs a model');
  const given = await readModelArtifact(input.path);
  return like === undefined ? given : reinitialize(given, seed);
};

/** Trains a model on the labels: fine-tunes the one before, or starts a shape from random weights. */
export const trainStage = defineStage({
  uses: 'train',
  version: 3,
  summary: 'Trains on the labels: fine-tunes a model, or starts from random weights.',
  config,
  place: 'named',
  metrics: z.looseObject({ training: trainingSummary }),
  makes: 'model',
  takes: { model: 'floats' },
  draws: true,
  from: [],
  wire: ({ like, architecture: shape }, wiring) => {
    if (like !== undefined && shape !== undefined) {
      wiring.problem(['architecture'], 'a stage takes its shape from "like" or from "architecture", not from both');
    }
    const dataset = wiring.dataset();
    if (like !== undefined) return { dataset, model: wiring.model(like, ['like']) };
    return shape === undefined ? { dataset, model: wiring.previous() } : { dataset };
  },
  run: async ({ model: input, dataset: datasetInput }, options, ctx) => {
    if (datasetInput === undefined) throw new Error('train needs a dataset');
    const { like, architecture: shape, ...training } = options;
    const dataset = await readDatasetArtifact(datasetInput.path);
    const { model, summary } = await runTraining(
      {
        model: await startOf({ like, architecture: shape }, { input, dataset, seed: ctx.seed }),
        dataset,
        config: training,
        rates: like === undefined && shape === undefined ? defaultRates.fineTune : defaultRates.scratch,
      },
      ctx,
    );
    await writeModel(await ctx.output('model', 'model'), model);
    return { training: summary };
  },
});
