import type { Dataset } from '../../data/dataset.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import type { Model } from '../../models/model.ts';
import { parameterNames } from '../../models/parameters.ts';
import { type Json, StageError } from '../stage.ts';
import { type PruneOptions, sparsityOf } from './config.ts';
import type { Subject } from './criteria/criterion.ts';
import { criterionOf } from './criteria/index.ts';
import { type Batch, batchesOf, drawExamples } from './examples.ts';
import { infoAfter } from './info.ts';
import { prunableNames, sparsify, zeroShares } from './sparse.ts';
import { cutStructure } from './structured.ts';

/** What pruning needs besides the model. */
export interface PruneContext {
  /** Read only where importance is measured on texts. */
  readonly dataset: Dataset | undefined;
  readonly seed: number;
  readonly threads: number;
  readonly signal: AbortSignal;
  progress(progress: { done: number; total: number; unit: string; phase: string }): void;
}

export interface Pruned {
  readonly model: Model;
  readonly metrics: { readonly [key: string]: Json };
}

const compensates = ({ criterion, compensate }: PruneOptions): boolean =>
  compensate ?? criterionOf(criterion).needsExamples;

/** Whether labelled texts are run through the model: to measure importance, or what units put out on average. */
export const needsExamples = (options: PruneOptions): boolean =>
  options.keep !== undefined && (criterionOf(options.criterion).needsExamples || compensates(options));

const expectClassifier = ({ info }: Model, { criterion }: PruneOptions, dataset: Dataset): void => {
  if (info.task !== 'text-classification') {
    throw new StageError(
      `criterion ${criterion} measures the loss of a classifier, the model puts out ${info.task}; ` +
        `train it first, or choose criterion: magnitude`,
    );
  }
  if (dataset.classes.join('\n') !== info.labels.join('\n')) {
    throw new StageError(
      `the model tells ${info.labels.length} classes apart, the data has ${dataset.classes.length} others; ` +
        `criterion ${criterion} needs texts of the model's own classes`,
    );
  }
};

/** Labelled batches, drawn and encoded when a criterion first asks for them. */
const batchSource = (
  model: Model,
  options: PruneOptions,
  { dataset, seed }: PruneContext,
): (() => readonly Batch[]) => {
  let batches: readonly Batch[] | undefined;
  return () => {
    if (dataset === undefined) throw new Error(`criterion ${options.criterion} needs a dataset`);
    const { info, tokenizer } = model;
    const maxLength = Math.min(dataset.maxLength, info.maxLength);
    const encoder = tokenizerOf(tokenizer);
    batches ??= batchesOf(
      drawExamples(dataset, options.examples, seed),
      (example) => encoder.encode(example, maxLength),
      info,
    );
    return batches;
  };
};

const subjectOf = (model: Model, options: PruneOptions, context: PruneContext): Subject => ({
  graph: model.graph,
  logits: model.info.output,
  inputs: model.info.inputs,
  batches: batchSource(model, options, context),
  seed: context.seed,
  threads: context.threads,
  signal: context.signal,
  progress: (done, total) => context.progress({ done, total, unit: 'batches', phase: 'measuring importance' }),
});

/** Cuts layers, widths, heads and neurons away. */
export const pruneStructure = async (model: Model, options: PruneOptions, context: PruneContext): Promise<Pruned> => {
  const { keep, scope, rounds } = options;
  if (keep === undefined) return { model, metrics: {} };
  const criterion = criterionOf(options.criterion);
  if (criterion.needsExamples && context.dataset !== undefined) expectClassifier(model, options, context.dataset);
  const compensate = compensates(options);
  const cut = { keep, criterion, scope, rounds, compensate };
  const { graph, metrics } = await cutStructure(subjectOf(model, options, context), cut);
  return {
    model: { ...model, graph, info: infoAfter(model.info, graph) },
    metrics: { structure: { criterion: criterion.name, scope, rounds, compensate, ...metrics } },
  };
};

const elementsOf = (graph: Graph, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + elementCount(graph.weights.get(value(name))?.dims ?? [0]), 0);

/** The weights that sparsity applies to, and the share of zeros among them that it comes to. */
export const sparsityPlan = (
  { graph, info }: Model,
  options: PruneOptions,
): { readonly names: readonly string[]; readonly sparsity: number } => {
  const names = prunableNames(graph, info.task === 'text-classification', options);
  const asked = sparsityOf(options.sparsity ?? 0);
  const prunable = elementsOf(graph, names);
  const sparsity = options.over === 'matrices' ? asked : (asked * elementsOf(graph, parameterNames(graph))) / prunable;
  if (prunable > 0 && sparsity < 1) return { names, sparsity };
  throw new StageError(
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
