import { z } from 'zod';
import { readDatasetArtifact } from '../../data/files.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import { reinitialize } from '../../models/reinitialize.ts';
import { defineStage } from '../stage.ts';
import { defaultRates, trainingConfig } from './options.ts';
import { runTraining, summaryJson } from './run.ts';

const config = z.strictObject({
  like: z
    .string()
    .optional()
    .describe(
      'id of a stage whose shape is trained from random weights: the control for what a model owes to its past',
    ),
  ...trainingConfig,
});

/** Trains a model on the labels: fine-tunes the one before, or starts a shape from random weights. */
export const trainStage = defineStage({
  uses: 'train',
  version: 1,
  summary: 'Trains on the labels: fine-tunes a model, or starts from random weights.',
  config,
  makes: 'model',
  draws: true,
  from: [],
  wire: ({ like }, wiring) => ({
    model: like === undefined ? wiring.previous() : wiring.model(like, ['like']),
    dataset: wiring.dataset(),
  }),
  run: async (inputs, options, ctx) => {
    const { model: modelInput, dataset: datasetInput } = inputs;
    if (modelInput === undefined || datasetInput === undefined) throw new Error('train needs a model and a dataset');
    const { like, ...training } = options;
    const given = await readModelArtifact(modelInput.path);
    const { model, summary } = await runTraining(
      {
        model: like === undefined ? given : reinitialize(given, ctx.seed),
        dataset: await readDatasetArtifact(datasetInput.path),
        config: training,
        rates: like === undefined ? defaultRates.fineTune : defaultRates.scratch,
      },
      ctx,
    );
    await writeModel(await ctx.output('model', 'model'), model);
    return { training: summaryJson(summary) };
  },
});
