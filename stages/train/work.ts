import type { Dataset } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { reinitialize } from '../../models/reinitialize.ts';
import type { StageRun, TrainingOfRun } from '../stage.ts';
import { boundShape } from './architectures/index.ts';
import type { Config, Reported } from './index.ts';
import { defaultRates } from './options.ts';
import { dataFor, runTraining, type TrainingJob, trainingOf } from './run.ts';
import { drawnAnew } from './seed.ts';

type Start = Pick<Config, 'like' | 'architecture'>;

/** What training starts from: a shape with random weights, or the model before as it is. */
const startOf = async (
  { like, architecture: shape }: Start,
  {
    input,
    dataset,
    seed,
  }: { readonly input: InputArtifact | undefined; readonly dataset: Dataset; readonly seed: number },
): Promise<Model> => {
  if (shape !== undefined) return boundShape(shape).make(dataset, seed);
  if (input === undefined) throw new Error('train needs a model');
  const given = await readModelArtifact(input.path);
  return like === undefined ? given : reinitialize(given, seed);
};

const jobOf = async (
  { model: input, dataset: datasetInput, rewordings }: Readonly<Record<string, InputArtifact>>,
  options: Config,
  seed: number,
): Promise<TrainingJob> => {
  if (datasetInput === undefined) throw new Error('train needs a dataset');
  const { like, architecture: shape, seed: _, ...config } = options;
  const dataset = dataFor(options, await readDatasetArtifact(datasetInput.path));
  return {
    model: await startOf({ like, architecture: shape }, { input, dataset, seed }),
    ...{ dataset, config, rewordings },
    rates: like === undefined && shape === undefined ? defaultRates.fineTune : defaultRates.scratch,
  };
};

export const training: TrainingOfRun<Config> = async (inputs, options, given) => {
  const ctx = drawnAnew(given, options.seed);
  return await trainingOf(await jobOf(inputs, options, ctx.seed), ctx);
};

export const run: StageRun<Config, Reported> = async (inputs, options, given) => {
  const ctx = drawnAnew(given, options.seed);
  const { model, summary } = await runTraining(await jobOf(inputs, options, ctx.seed), ctx);
  await writeModel(await ctx.output('model', 'model'), model);
  return { training: summary };
};
