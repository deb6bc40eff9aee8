import { openTrainingTexts, readDatasetArtifact } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { stageError } from '../../ground/errors.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { withSparse } from '../../models/sparse.ts';
import { recoverModel, recoveryTraining } from '../distill/recovery.ts';
import type { StageContext, StageRun, TrainingOfRun } from '../stage.ts';
import { budgetFacts } from './budget/facts.ts';
import { isGradual, type PruneOptions } from './config.ts';
import type { Reported } from './index.ts';
import { pruneStructure } from './prune.ts';
import type { Pruned } from './pruned.ts';
import { recoveryOf } from './recover.ts';
import type { PruneContext } from './subject.ts';
import { makesZeros } from './zero-options.ts';
import { makeZeros, sparseNames, sparsityMetrics, sparsityPlan } from './zeroed.ts';

type Inputs = Readonly<Record<string, InputArtifact>>;

const given = async ({ model: input }: Inputs): Promise<Model> => {
  if (input === undefined) throw new Error('prune needs a model');
  const model = await readModelArtifact(input.path);
  if (!isQuantized(model.graph)) return model;
  throw stageError('the model is quantized: prune before quantizing, from the stage that quantize read');
};

const contextOf = async ({ dataset }: Inputs, ctx: StageContext): Promise<PruneContext> => {
  const { seed, threads, signal } = ctx;
  return {
    texts: dataset === undefined ? undefined : await openTrainingTexts(dataset.path),
    ...{ seed, threads, signal },
    progress: (progress) => ctx.progress(progress),
  };
};

/** The model with its structure cut, before weights are set to zero or trained. */
const cut = async (inputs: Inputs, options: PruneOptions, ctx: StageContext): Promise<Pruned> => {
  const [model, context] = [await given(inputs), await contextOf(inputs, ctx)];
  const { budget } = options;
  const facts = budget === undefined ? {} : { budget: await budgetFacts(model, budget, inputs, ctx) };
  return pruneStructure(model, options, { ...context, ...facts });
};

/** The model that says of which weights sparsity made zeros. */
const withZeros = (model: Model, options: PruneOptions): Model => withSparse(model, sparseNames(model, options));

export const training: TrainingOfRun<PruneOptions> = async (inputs, options, ctx) => {
  const { recover } = options;
  const { dataset } = inputs;
  if (recover === undefined || dataset === undefined) throw new Error('there is no training without recovery');
  const { model } = await cut(inputs, options, ctx);
  const recovery = recoveryOf(model, await readDatasetArtifact(dataset.path), { ...options, recover }, inputs);
  return await recoveryTraining(recovery, ctx);
};

/** Zeros made at once, where they do not rise while the model is trained: whoever trains it holds them. */
const zeroed = async (structure: Pruned, inputs: Inputs, options: PruneOptions, ctx: StageContext): Promise<Pruned> => {
  const { model, metrics } = isGradual(options)
    ? structure
    : await makeZeros(structure.model, options, await contextOf(inputs, ctx));
  return {
    model: isGradual(options) ? model : withZeros(model, options),
    metrics: { ...structure.metrics, ...metrics },
  };
};

export const run: StageRun<PruneOptions, Reported> = async (inputs, options, ctx) => {
  const structure = await cut(inputs, options, ctx);
  const folder = await ctx.output('model', 'model');
  const { recover } = options;
  const pruned = await zeroed(structure, inputs, options, ctx);
  if (recover === undefined || inputs.dataset === undefined) {
    await writeModel(folder, pruned.model);
    return pruned.metrics;
  }
  const dataset = await readDatasetArtifact(inputs.dataset.path);
  const trained = await recoverModel(recoveryOf(pruned.model, dataset, { ...options, recover }, inputs), ctx);
  await writeModel(folder, withZeros(trained.model, options));
  const sparsity = makesZeros(options)
    ? { sparsity: sparsityMetrics(trained.model.graph, options, sparsityPlan(structure.model, options).names) }
    : {};
  return { ...pruned.metrics, ...sparsity, training: trained.summary };
};
