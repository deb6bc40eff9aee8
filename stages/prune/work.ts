import { openTrainingTexts, readDatasetArtifact } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { stageError } from '../../ground/errors.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { withSparse } from '../../models/sparse.ts';
import { type Recovery, recoverModel, recoveryTraining } from '../distill/recovery.ts';
import type { StageContext, StageRun, TrainingOfRun } from '../stage.ts';
import { budgetFacts } from './budget/facts.ts';
import type { PruneOptions } from './config.ts';
import { isLearnt } from './criteria/index.ts';
import type { Reported } from './index.ts';
import { learningGates } from './l0/run.ts';
import { pruneStructure } from './prune.ts';
import type { Pruned } from './pruned.ts';
import { recoveryOf } from './recover.ts';
import { tooShort } from './short.ts';
import type { PruneContext } from './subject.ts';
import { isGradual, makesZeros } from './zero-options.ts';
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
  const start = { model, dataset: await readDatasetArtifact(dataset.path), seed: ctx.seed };
  const request = await recoveryTraining(recoveryOf(start, { ...options, recover }, inputs), ctx);
  return isLearnt(options.criterion) ? learningGates(request, options).request : request;
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

/** Recovers; where gates are learnt meanwhile, with what they leave. */
const recovered = async (recovery: Recovery, options: PruneOptions, ctx: StageContext) => {
  if (!isLearnt(options.criterion)) return { ...(await recoverModel(recovery, ctx)), learnt: undefined };
  const learning: ReturnType<typeof learningGates>[] = [];
  const trained = await recoverModel(recovery, ctx, (request) => {
    const gates = learningGates(request, options);
    learning.push(gates);
    return gates;
  });
  return { ...trained, learnt: learning[0]?.report() };
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
  const start = { model: pruned.model, dataset: await readDatasetArtifact(inputs.dataset.path), seed: ctx.seed };
  const trained = await recovered(recoveryOf(start, { ...options, recover }, inputs), options, ctx);
  await writeModel(folder, withZeros(trained.model, options));
  const sparsity = makesZeros(options)
    ? { sparsity: sparsityMetrics(trained.model.graph, options, sparsityPlan(structure.model, options).names) }
    : {};
  const { structure: before } = pruned.metrics;
  const learnt = trained.learnt === undefined ? {} : { structure: { ...Object(before), ...trained.learnt } };
  const short = tooShort(options, trained.summary.steps);
  if (short !== undefined) ctx.log(short);
  const notes = short === undefined ? {} : { notes: [short] };
  return { ...pruned.metrics, ...learnt, ...sparsity, ...notes, training: trained.summary };
};
