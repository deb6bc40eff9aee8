import { openTrainingTexts, readDatasetArtifact } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { stageError } from '../../ground/errors.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { withSparse } from '../../models/sparse.ts';
import { recoverModel, recoveryTraining } from '../distill/recovery.ts';
import type { StageContext, StageRun, TrainingOfRun } from '../stage.ts';
import type { PruneOptions } from './config.ts';
import type { Reported } from './index.ts';
import { pruneStructure, pruneWeights, sparsityMetrics, sparsityPlan } from './prune.ts';
import type { Pruned } from './pruned.ts';
import { recoveryOf } from './recover.ts';
import { prunableNames } from './sparse.ts';

type Inputs = Readonly<Record<string, InputArtifact>>;

/** The model with its structure cut, before weights are set to zero or trained. */
const cut = async (inputs: Inputs, options: PruneOptions, ctx: StageContext): Promise<Pruned> => {
  const { model: modelInput, dataset: datasetInput } = inputs;
  if (modelInput === undefined) throw new Error('prune needs a model');
  const given = await readModelArtifact(modelInput.path);
  if (isQuantized(given.graph)) {
    throw stageError('the model is quantized: prune before quantizing, from the stage that quantize read');
  }
  const { seed, threads, signal } = ctx;
  return pruneStructure(given, options, {
    texts: datasetInput === undefined ? undefined : await openTrainingTexts(datasetInput.path),
    ...{ seed, threads, signal },
    progress: (progress) => ctx.progress(progress),
  });
};

/** The model that says of which weights sparsity made zeros. */
const withZeros = (model: Model, options: PruneOptions): Model =>
  options.sparsity === undefined ? model : withSparse(model, prunableNames(model, options));

export const training: TrainingOfRun<PruneOptions> = async (inputs, options, ctx) => {
  const { recover } = options;
  const { dataset } = inputs;
  if (recover === undefined || dataset === undefined) throw new Error('there is no training without recovery');
  const { model } = await cut(inputs, options, ctx);
  const recovery = recoveryOf(model, await readDatasetArtifact(dataset.path), { ...options, recover }, inputs);
  return await recoveryTraining(recovery, ctx);
};

export const run: StageRun<PruneOptions, Reported> = async (inputs, options, ctx) => {
  const structure = await cut(inputs, options, ctx);
  const folder = await ctx.output('model', 'model');
  const { recover } = options;
  if (recover === undefined || inputs.dataset === undefined) {
    const weights = pruneWeights(structure.model, options);
    await writeModel(folder, withZeros(weights.model, options));
    return { ...structure.metrics, ...weights.metrics };
  }
  const dataset = await readDatasetArtifact(inputs.dataset.path);
  const trained = await recoverModel(recoveryOf(structure.model, dataset, { ...options, recover }, inputs), ctx);
  await writeModel(folder, withZeros(trained.model, options));
  const sparsity =
    options.sparsity === undefined
      ? {}
      : {
          sparsity: sparsityMetrics(trained.model.graph, options, sparsityPlan(structure.model, options).names),
        };
  return { ...structure.metrics, ...sparsity, training: trained.summary };
};
