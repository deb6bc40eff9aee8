import { z } from 'zod';
import { openTrainingTexts, readDatasetArtifact } from '../../data/files.ts';
import { stageError } from '../../ground/errors.ts';
import { json } from '../../ground/reported/json.ts';
import { trainingSummary } from '../../ground/reported/training.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import { isQuantized } from '../../models/quantized.ts';
import { wireDistillation } from '../distill/wire.ts';
import { defineStage, type Ref, type Wiring } from '../stage.ts';
import { type PruneOptions, pruneConfig } from './config.ts';
import { needsExamples, pruneStructure, pruneWeights, sparsityMetrics, sparsityPlan } from './prune.ts';
import { recoverModel } from './recover.ts';

const wire = (options: PruneOptions, wiring: Wiring): Readonly<Record<string, Ref>> => {
  const { recover } = options;
  if (recover?.uses === 'distill') return wireDistillation(recover, wiring, ['recover']);
  return recover !== undefined || needsExamples(options) ? { dataset: wiring.dataset() } : {};
};

/** Removes structure (layers, widths, heads, neurons), or sets weights to zero, or both; then trains if asked to. */
export const prune = defineStage({
  uses: 'prune',
  version: 4,
  summary: 'Cuts heads, neurons, widths and layers away, or sets the smallest weights to zero.',
  config: pruneConfig,
  place: 'named',
  metrics: z.looseObject({
    structure: json.exactOptional(),
    sparsity: json.exactOptional(),
    training: trainingSummary.exactOptional(),
  }),
  makes: 'model',
  takes: { model: 'floats' },
  draws: true,
  wire,
  run: async (inputs, options, ctx) => {
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
  },
});
