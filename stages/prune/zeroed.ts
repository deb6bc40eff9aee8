import type { Encoded } from '../../engine/encoded.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { elementCount, float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { stageError } from '../../ground/errors.ts';
import type { Json } from '../../ground/json.ts';
import { counting } from '../../ground/progress.ts';
import type { Model } from '../../models/model.ts';
import { type PruneOptions, sparsityOf } from './config.ts';
import { lookedAt, type States } from './looks.ts';
import { asScores, type Scored } from './patterns/pattern.ts';
import { planeOf } from './plane-of.ts';
import { calibrationTexts, type Product, productOf, squaresOf, watchingOf } from './products.ts';
import type { Pruned } from './pruned.ts';
import type { Saliency, Weight } from './saliencies/saliency.ts';
import { prunableNames, zeroShares } from './sparse.ts';
import { expectLoss, kept, type PruneContext, subjectOf } from './subject.ts';
import { type Thinning, thinProducts, withTools } from './thinned.ts';
import { makesZeros, prunableIn, readsInputs, type ZerosAsked, zerosAsked } from './zero-options.ts';
import { Quota } from './zeros.ts';

const elementsOf = (graph: Graph, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + elementCount(graph.weights.get(value(name))?.dims ?? [0]), 0);

/** A model as far as it says what its weights are for. */
export type Named = Parameters<typeof prunableNames>[0];

/** The weights that zeros are chosen in: products alone where inputs are looked at. */
export const sparseNames = (model: Named, options: PruneOptions): readonly Value[] => {
  if (!makesZeros(options)) return [];
  const names = prunableNames(model, prunableIn(options));
  return readsInputs(zerosAsked(options).saliency)
    ? names.filter((name) => productOf(model.graph, name) !== undefined)
    : names;
};

const shareAsked = (options: PruneOptions): number =>
  zerosAsked(options).pattern.fixed ?? sparsityOf(options.sparsity ?? 0);

/** The weights that sparsity applies to, and the share of zeros among them that it comes to. */
export const sparsityPlan = (
  model: Named,
  options: PruneOptions,
): { readonly names: readonly Value[]; readonly sparsity: number } => {
  const { graph } = model;
  const names = sparseNames(model, options);
  const asked = shareAsked(options);
  const prunable = elementsOf(graph, names);
  const sparsity = options.over === 'matrices' ? asked : (asked * elementsOf(graph, parameterNames(graph))) / prunable;
  if (prunable > 0 && sparsity < 1) return { names, sparsity };
  throw stageError(
    `sparsity: ${options.sparsity ?? options.pattern} of all parameters are to be zero, but only ${prunable} parameters may be pruned; ` +
      `ask for less, or include more (embeddings: true, include: [classifier, norms, biases])`,
  );
};

const rounded = (share: number): number => Number(share.toFixed(6));

/** How zeros were chosen, where that is not as it always was. */
const choiceJson = (options: PruneOptions): { readonly [key: string]: Json } => {
  const { pattern, saliency, compete, reconstruct } = zerosAsked(options);
  if ([options.pattern, options.saliency, options.compete, options.reconstruct].every((given) => given === undefined))
    return {};
  const among = pattern.fixed === undefined ? { compete } : {};
  return { pattern: pattern.text, saliency: saliency.name, ...among, reconstruct };
};

/** Shares of zeros, for the report. */
export const sparsityMetrics = (graph: Graph, options: PruneOptions, names: readonly string[]): Json => {
  const shares = zeroShares(graph, names);
  return {
    ...{ asked: shareAsked(options), matrices: rounded(shares.pruned), model: rounded(shares.model) },
    ...choiceJson(options),
  };
};

export const weightsIn = (graph: Graph, names: readonly Value[]): readonly Weight[] =>
  names.flatMap((name) => {
    const tensor = graph.weights.get(name);
    return tensor === undefined ? [] : [{ name, data: float32Of(tensor), plane: planeOf(graph, name) }];
  });

/** Refuses weights that the pattern does not fit on. */
export const expectFits = (weights: readonly Weight[], { pattern }: ZerosAsked): void => {
  const { rows, columns, text } = pattern;
  for (const { name, plane } of weights) {
    if (plane.rows % rows === 0 && plane.width % columns === 0) continue;
    const has = `'${name}' has ${plane.rows} outputs x ${plane.width} inputs`;
    throw stageError(
      `pattern ${text} wants multiples of ${rows} outputs and ${columns} inputs, and ${has}: take another pattern, or leave that part out`,
    );
  }
};

/** A model whose zeros are under way. */
interface Zeroing {
  readonly model: Model;
  readonly options: PruneOptions;
  readonly asked: ZerosAsked;
  readonly weights: readonly Weight[];
  readonly context: PruneContext;
  /** Texts that inputs are looked at by; read when they are first asked for. */
  examples(): Promise<readonly Encoded[]>;
}

const statesOf = async ({ model, options, asked, weights, context }: Zeroing): Promise<States> => {
  const { saliency } = asked;
  if (saliency.reads !== 'gradients') return new Map();
  if (context.texts !== undefined) expectLoss(model, `saliency ${saliency.name}`, context.texts);
  // One text at a time: what a batch adds up hides what each of its texts says.
  return await lookedAt(subjectOf(model, { examples: options.examples, atOnce: 1 }, context), saliency, weights);
};

const productIn = ({ model }: Zeroing, name: string): Product | undefined => productOf(model.graph, value(name));

/** Sums of squares of the inputs of each weight. */
const inputsOf = async (zeroing: Zeroing): Promise<ReadonlyMap<string, Float64Array>> => {
  const { model, weights, context, examples } = zeroing;
  const products = weights.flatMap(({ name }) => productIn(zeroing, name) ?? []);
  const onText = counting(context.progress, 'texts', 'looking at inputs');
  const squares = await squaresOf(watchingOf(model, context), products, await examples(), onText);
  const sumOf = ({ inputs, width }: Product): Float64Array =>
    Float64Array.from({ length: width }, (_, i) => inputs.reduce((sum, one) => sum + (squares.get(one)?.[i] ?? 0), 0));
  return new Map(products.map((product) => [product.weight, sumOf(product)]));
};

/** How much each number of each weight matters. */
const scoresOf = async (zeroing: Zeroing, saliency: Saliency, states: States): Promise<readonly Float32Array[]> => {
  const { weights, context } = zeroing;
  switch (saliency.reads) {
    case 'weights':
      return await Promise.all(weights.map((weight) => saliency.score(weight, context.seed)));
    case 'inputs': {
      const inputs = await inputsOf(zeroing);
      return weights.map((weight) => saliency.score(weight, inputs.get(weight.name) ?? new Float64Array()));
    }
    case 'gradients':
      return weights.map((weight) => saliency.score(states.get(weight.name) ?? saliency.start(weight), weight));
    case 'correlations':
      throw new Error('what goes along products scores nothing before');
  }
};

const scored = ({ data, plane }: Weight, scores: Float32Array): Scored => ({
  plane,
  scores: asScores(data, scores, new Float32Array(scores.length)),
});

const expectNumbers = ({ name }: Weight, { scores }: Scored, saliency: Saliency): void => {
  if (scores.some(Number.isNaN))
    throw stageError(`saliency ${saliency.name} is no number in '${name}': its gradients overflow`);
};

/** Marks what goes of each weight. */
const marksOf = (
  weights: readonly Weight[],
  scores: readonly Float32Array[],
  { saliency, pattern, compete }: ZerosAsked,
  share: number,
): readonly Uint8Array[] => {
  const all = weights.map((weight, i) => scored(weight, scores[i] ?? new Float32Array()));
  for (const [i, weight] of weights.entries()) expectNumbers(weight, all[i] as Scored, saliency);
  return pattern.mark(all, { share, compete });
};

const cleared = (data: Float32Array, gone: Uint8Array | undefined): Float32Array =>
  data.map((w, at) => (gone?.[at] === 1 ? 0 : w));

/** Weights with zeros in place of what matters least; those that stay moved where the saliency knows how. */
const zeroedData = async (zeroing: Zeroing, share: number): Promise<readonly Float32Array[]> => {
  const { weights, asked } = zeroing;
  const { saliency } = asked;
  const states = await statesOf(zeroing);
  const marks = marksOf(weights, await scoresOf(zeroing, saliency, states), asked, share);
  return weights.map((weight, i) => {
    const [gone, state] = [marks[i] ?? new Uint8Array(), states.get(weight.name)];
    const moves =
      saliency.reads === 'gradients' && state !== undefined ? saliency.moved?.(state, weight, gone) : undefined;
    return cleared(moves ?? weight.data, gone);
  });
};

/** Products that are thinned by what they read: writes their data, and gives biases that changed. */
const thinnedBiases = async (
  zeroing: Zeroing,
  data: readonly Float32Array[],
  share: number,
): Promise<ReadonlyMap<Value, Tensor>> => {
  const { model, asked, weights, context } = zeroing;
  const { saliency, pattern, compete, reconstruct } = asked;
  const walks = saliency.reads === 'correlations';
  if (!walks && !reconstruct) return new Map();
  const thinnings = weights.flatMap((weight, i): readonly Thinning[] => {
    const product = productIn(zeroing, weight.name);
    return product === undefined ? [] : [{ product, weight, data: data[i] ?? new Float32Array() }];
  });
  const watching = watchingOf(model, context);
  const examples = await zeroing.examples();
  const opening = { walker: walks ? saliency.open(watching.engine, context.threads) : undefined, refines: reconstruct };
  return await withTools(opening, watching, (tools) =>
    thinProducts(thinnings, {
      ...{ watching, examples, tools, asked: { pattern, compete, quota: new Quota(share) } },
      onText: counting(context.progress, 'texts', 'looking at inputs'),
      onMatrix: counting(context.progress, 'matrices', 'making up for zeros'),
    }),
  );
};

const withData = (graph: Graph, of: readonly Weight[], data: readonly Float32Array[]): Graph => {
  const weights = new Map(graph.weights);
  for (const [i, { name }] of of.entries()) {
    const dims = graph.weights.get(value(name))?.dims ?? [];
    weights.set(value(name), tensorOf('float32', dims, Float32Array.from(data[i] ?? [])));
  }
  return { ...graph, weights };
};

/** Sets weights of any graph to zero by what they are, at once. */
export const zeroWeights = async (model: Named, options: PruneOptions, seed: number): Promise<Graph> => {
  const asked = zerosAsked(options);
  const { saliency } = asked;
  if (saliency.reads !== 'weights') throw new Error(`saliency ${saliency.name} looks at more than weights`);
  const { names, sparsity } = sparsityPlan(model, options);
  const weights = weightsIn(model.graph, names);
  expectFits(weights, asked);
  const scores = await Promise.all(weights.map((weight) => saliency.score(weight, seed)));
  const marks = marksOf(weights, scores, asked, sparsity);
  return withData(
    model.graph,
    weights,
    weights.map(({ data }, i) => cleared(data, marks[i])),
  );
};

/** Sets weights to zero, at once. */
export const makeZeros = async (model: Model, options: PruneOptions, context: PruneContext): Promise<Pruned> => {
  if (!makesZeros(options)) return { model, metrics: {} };
  const { names, sparsity } = sparsityPlan(model, options);
  const asked = zerosAsked(options);
  const examples = kept(() => calibrationTexts(model, asked.calibration, context));
  const zeroing = { model, options, context, asked, examples, weights: weightsIn(model.graph, names) };
  expectFits(zeroing.weights, asked);
  const walks = asked.saliency.reads === 'correlations';
  const data = walks ? zeroing.weights.map((weight) => weight.data.slice()) : await zeroedData(zeroing, sparsity);
  const biases = await thinnedBiases(zeroing, data, sparsity);
  const moved = { ...model.graph, weights: new Map([...model.graph.weights, ...biases]) };
  const graph = withData(moved, zeroing.weights, data);
  return { model: { ...model, graph }, metrics: { sparsity: sparsityMetrics(graph, options, names) } };
};
