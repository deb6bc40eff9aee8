import type { DatasetFacts, TrainingTexts } from '../../data/files.ts';
import type { Loss } from '../../engine/losses/index.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { elementCount } from '../../graph/tensor.ts';
import { stageError } from '../../ground/errors.ts';
import type { Json } from '../../ground/json.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { encodeExamples } from '../train/examples.ts';
import { type PruneOptions, sparsityOf } from './config.ts';
import type { Subject } from './criteria/criterion.ts';
import { criterionOf } from './criteria/index.ts';
import { factoriseEmbedding } from './embedding.ts';
import { type Batch, batchesOf, drawExamples } from './examples.ts';
import { infoAfter } from './info.ts';
import { compensates, countsLayers } from './needs.ts';
import type { Pruned } from './pruned.ts';
import { prunableNames, sparsify, zeroShares } from './sparse.ts';
import { cutStructure } from './structured.ts';
import { goalsOf, type Keep } from './targets.ts';
import { cutVocabulary, tokenCounts } from './vocabulary.ts';

/** What pruning needs besides the model. */
export interface PruneContext {
  /** Read only where tokens are counted, or importance is measured on texts. */
  readonly texts: TrainingTexts | undefined;
  readonly seed: number;
  readonly threads: number;
  readonly signal: AbortSignal;
  progress(progress: { done: number; total: number; unit: string; phase: string }): void;
}

/** The loss by which units are ranked: every answer weighs as much. */
const rankingLosses = ({ task }: DatasetFacts): readonly Loss[] =>
  taskOf(task).targetLosses({ hard: 1, temperature: 1, labelSmoothing: 0 });

const expectLoss = ({ info }: Model, { criterion }: PruneOptions, data: DatasetFacts): void => {
  const losses = rankingLosses(data);
  if (info.task !== data.task || losses.length === 0) {
    const train = losses.length === 0 ? '' : 'train it first, or ';
    throw stageError(
      `criterion ${criterion} measures a loss on what the data says, the model puts out ${info.task}; ` +
        `${train}choose criterion: magnitude`,
    );
  }
  if (data.classes.join('\n') !== info.labels.join('\n')) {
    throw stageError(
      `the model tells ${info.labels.length} classes apart, the data has ${data.classes.length} others; ` +
        `criterion ${criterion} needs texts of the model's own classes`,
    );
  }
};

const textsOf = ({ texts }: PruneContext): TrainingTexts => {
  if (texts === undefined) throw new Error('counting tokens and measuring importance need texts');
  return texts;
};

const drawBatches = async (
  model: Model,
  { examples }: PruneOptions,
  context: PruneContext,
): Promise<readonly Batch[]> => {
  const texts = textsOf(context);
  const task = taskOf(texts.task);
  const drawn = await drawExamples(texts, examples, context.seed);
  const encoded = await encodeExamples('training', drawn, { model, task, dataset: texts }, context.signal);
  const { info } = model.info.task === task.name ? task.answering(model) : model;
  return batchesOf(encoded, info);
};

/** Labelled batches, drawn and encoded when a criterion first asks for them. */
const batchSource = (model: Model, options: PruneOptions, context: PruneContext): (() => Promise<readonly Batch[]>) => {
  let batches: Promise<readonly Batch[]> | undefined;
  return () => {
    batches ??= drawBatches(model, options, context);
    return batches;
  };
};

const askedBy = ({ texts }: PruneContext): Subject['asked'] =>
  texts === undefined ? undefined : { task: taskOf(texts.task), losses: rankingLosses(texts) };

const subjectOf = (model: Model, options: PruneOptions, context: PruneContext): Subject => ({
  ...{ graph: model.graph, model },
  asked: askedBy(context),
  batches: batchSource(model, options, context),
  seed: context.seed,
  threads: context.threads,
  signal: context.signal,
  progress: (done, total) => context.progress({ done, total, unit: 'batches', phase: 'measuring importance' }),
});

/** Cuts layers, widths, heads and neurons away. */
const pruneUnits = async (model: Model, keep: Keep, options: PruneOptions, context: PruneContext): Promise<Pruned> => {
  const { scope, rounds } = options;
  const criterion = criterionOf(options.criterion);
  const anatomy = anatomyOf(model.graph);
  // Before a layer goes it is known whether the rest can be kept as asked.
  const goals = goalsOf(anatomy, keep);
  const ranked = countsLayers(keep) || goals.length > 0;
  if (ranked && criterion.needsExamples && context.texts !== undefined) {
    expectLoss(model, options, context.texts);
  }
  const compensate = ranked && compensates(options);
  const cut = { keep, criterion, scope, rounds, compensate };
  const { graph, metrics } = await cutStructure(subjectOf(model, options, context), cut);
  const how = ranked ? { criterion: criterion.name, scope, rounds, compensate } : {};
  return { model: { ...model, graph }, metrics: { ...how, ...metrics } };
};

/** Cuts tokens first, since all that follows is then cheaper; factorises last, on the table that is left. */
export const pruneStructure = async (given: Model, options: PruneOptions, context: PruneContext): Promise<Pruned> => {
  const { keep } = options;
  if (keep === undefined) return { model: given, metrics: {} };
  const tokens =
    keep.vocabulary === undefined
      ? { model: given, metrics: {} }
      : cutVocabulary(given, keep.vocabulary, await tokenCounts(given, textsOf(context)));
  const units = await pruneUnits(tokens.model, keep, options, context);
  const counts = () => tokenCounts(units.model, textsOf(context));
  const { model, metrics } = await factoriseEmbedding(units.model, keep, { counts, threads: context.threads });
  return {
    model: { ...model, info: infoAfter(model.info, model.graph) },
    metrics: { structure: { ...units.metrics, ...tokens.metrics, ...metrics } },
  };
};

const elementsOf = (graph: Graph, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + elementCount(graph.weights.get(value(name))?.dims ?? [0]), 0);

/** The weights that sparsity applies to, and the share of zeros among them that it comes to. */
export const sparsityPlan = (
  model: Model,
  options: PruneOptions,
): { readonly names: readonly string[]; readonly sparsity: number } => {
  const { graph } = model;
  const names = prunableNames(model, options);
  const asked = sparsityOf(options.sparsity ?? 0);
  const prunable = elementsOf(graph, names);
  const sparsity = options.over === 'matrices' ? asked : (asked * elementsOf(graph, parameterNames(graph))) / prunable;
  if (prunable > 0 && sparsity < 1) return { names, sparsity };
  throw stageError(
    `sparsity: ${options.sparsity} of all parameters are to be zero, but only ${prunable} parameters may be pruned; ` +
      `ask for less, or include more (embeddings: true, include: [classifier, norms, biases])`,
  );
};

const rounded = (share: number): number => Number(share.toFixed(6));

/** Shares of zeros, for the report. */
export const sparsityMetrics = (graph: Graph, options: PruneOptions, names: readonly string[]): Json => {
  const shares = zeroShares(graph, names);
  return { asked: sparsityOf(options.sparsity ?? 0), matrices: rounded(shares.pruned), model: rounded(shares.model) };
};

/** Sets the smallest weights to zero in one shot. */
export const pruneWeights = (model: Model, options: PruneOptions): Pruned => {
  if (options.sparsity === undefined) return { model, metrics: {} };
  const { names, sparsity } = sparsityPlan(model, options);
  const graph = sparsify(model.graph, names, sparsity);
  return { model: { ...model, graph }, metrics: { sparsity: sparsityMetrics(graph, options, names) } };
};
