import { openTrainingTexts, readDatasetArtifact } from '../../data/files.ts';
import { stageError } from '../../ground/errors.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import { isQuantized } from '../../models/quantized.ts';
import type { StageRun } from '../stage.ts';
import type { PruneOptions } from './config.ts';
import type { Reported } from './index.ts';
import { pruneStructure, pruneWeights, sparsityMetrics, sparsityPlan } from './prune.ts';
import { recoverModel } from './recover.ts';

export const run: StageRun<PruneOptions, Reported> = async (inputs, options, ctx) => {
  const { model: modelInput, dataset: datasetInput } = inputs;
  if (modelInput === undefined) throw new Error('prune needs a model');
  const given = await readModelArtifact(modelInput.path);
  if (isQuantized(given.graph)) {
    throw stageError('the model is quantized: prune before quantizing, from the stage that quantize read');
  }
  const { seed, threads, signal } = ctx;
  const structure = await pruneStructure(given, options, {
    texts: datasetInput === undefined ? undefined : await openTrainingTexts(datasetInput.path),
    seed,
    threads,
    signal,
    progress: (progress) => ctx.progress(progress),
  });
  const folder = await ctx.output('model', 'model');
  const { recover } = options;
  if (recover === undefined || datasetInput === undefined) {
    const weights = pruneWeights(structure.model, options);
    await writeModel(folder, weights.model);
    return { ...structure.metrics, ...weights.metrics };
  }
  const dataset = await readDatasetArtifact(datasetInput.path);
  const trained = await recoverModel(structure.model, dataset, { ...options, recover }, inputs, ctx);
  await writeModel(folder, trained.model);
  const sparsity =
    options.sparsity === undefined
      ? {}
      : {
          sparsity: sparsityMetrics(trained.model.graph, options, sparsityPlan(structure.model, options).names),
        };
  return { ...structure.metrics, ...sparsity, training: trained.summary };
};
