import type { Faked } from '../../engine/faked.ts';
import type { WeightHook } from '../../engine/train-request.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { Packings } from '../../graph/quantize/blockwise.ts';
import {
  type BlockChoice,
  type Choice,
  eightBitLimit,
  isBlocks,
  type QuantizeOptions,
} from '../../graph/quantize/choose.ts';
import { fusedFor } from '../../graph/quantize/convert.ts';
import type { FakeInput, FakeWeight } from '../../graph/quantize/fake/weight.ts';
import { int8 } from '../../graph/quantize/formats/int8.ts';
import { blocksOf, matrixOf, type Rounded, rowsOf, widened } from '../../graph/quantize/grid.ts';
import { type Quantized, quantizeWeights } from '../../graph/quantize/index.ts';
import { nearest } from '../../graph/quantize/nearest.ts';
import { packedOf, unpackedOf } from '../../graph/quantize/pack.ts';
import { fixedPointOf } from '../../graph/quantize/range.ts';
import { productGroups, type Scales, smoothed } from '../../graph/quantize/smooth.ts';
import { sitesOfWeight } from '../../graph/sites.ts';
import { type ArrayOf, float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { stageError } from '../../ground/errors.ts';
import { joinedFloats } from '../../ground/joined.ts';
import type { Model } from '../../models/model.ts';
import { looksSparse } from '../../models/sparse.ts';
import type { TrainedModel } from '../train/run.ts';
import { type Part, partsOf } from './parts.ts';

type Bytes = Exclude<Choice, BlockChoice | { readonly kept: string }>;

/** What training starts from: a graph, its fused form, and how that was rounded. */
export interface Start {
  readonly model: Model;
  readonly fused: Graph;
  readonly quantized: Quantized;
}

/** What is trained: weights near what they are rounded to, and how each is seen. */
export interface Seen {
  readonly model: Model;
  readonly faked: Faked;
  readonly hook?: WeightHook;
}

/** Whether the zeros of a weight stay: those that pruning made, or of which there are so many. */
const isSparse = ({ info, graph }: Model, name: Value): boolean => {
  const tensor = graph.weights.get(name);
  return info.sparse?.includes(name) === true || (tensor !== undefined && looksSparse(tensor));
};

const partsIn = ({ model, fused }: Pick<Start, 'model' | 'fused'>, weight: Value): readonly Part[] => {
  const parts = partsOf(model.graph, fused, weight);
  if (parts !== undefined) return parts;
  throw stageError(
    `recover: fusing computes the weight '${weight}' from others, so that training cannot see it as it is stored: exclude it, or leave recover out`,
  );
};

/** Some rows of what was rounded. */
const slice = (rounded: Rounded, [from, count]: readonly [number, number], width: number, blocks: number): Rounded => ({
  codes: rounded.codes.slice(from * width, (from + count) * width),
  scales: rounded.scales.slice(from * blocks, (from + count) * blocks),
  zeros: rounded.zeros.slice(from * blocks, (from + count) * blocks),
});

interface Begun {
  readonly tensor: Tensor;
  readonly fake: FakeWeight;
  readonly held: boolean;
}

/** How one weight starts: rounded as it was, but for zeros that stay. */
const begun = (model: Model, name: Value, { layout, grid }: BlockChoice, rounded: Rounded): Begun => {
  const tensor = model.graph.weights.get(name);
  if (tensor === undefined) throw new Error(`'${name}' is no weight`);
  const rows = rowsOf(tensor, layout);
  const held = isSparse(model, name);
  const steps = held ? nearest(rows, grid, { search: true }) : rounded;
  const start = held ? tensor : matrixOf(widened(rows, grid, steps), tensor.dims, layout);
  return { tensor: start, fake: { form: 'blocks', layout, grid }, held };
};

const blockWeights = ({ quantized: { choices } }: Start): readonly (readonly [Value, BlockChoice])[] =>
  [...choices].flatMap(([name, choice]) => (isBlocks(choice) ? [[name, choice] as const] : []));

/** Weights in bytes, and what each is for. */
const byteWeights = ({ quantized: { choices } }: Start): readonly (readonly [Value, Bytes['form']])[] =>
  [...choices].flatMap(([name, choice]) =>
    'form' in choice && !isBlocks(choice) ? [[name, choice.form] as const] : [],
  );

/** A graph under preparation for training. */
interface Preparing {
  readonly start: Start;
  readonly weights: Map<Value, Tensor>;
  readonly faked: Map<Value, FakeWeight>;
  /** Whose zeros stay. */
  readonly held: Value[];
}

const beginBlocks = ({ start, weights, faked, held }: Preparing, name: Value, choice: BlockChoice): void => {
  const packed = start.quantized.packings.get(name);
  if (packed === undefined) throw new Error(`'${name}' was not rounded`);
  const rounded = unpackedOf(packed);
  const blocks = blocksOf(packed.width, choice.grid);
  for (const { name: own, from, count } of partsIn(start, name)) {
    const rows = choice.layout === 'turned' ? ([from, count] as const) : ([0, packed.rows] as const);
    const one = begun(start.model, own, choice, slice(rounded, rows, packed.width, blocks));
    weights.set(own, one.tensor);
    faked.set(own, one.fake);
    if (one.held) held.push(own);
  }
};

/** A step belongs to an output of a product, and to a column of all else. */
const beginBytes = ({ start, faked, held }: Preparing, weight: Value, form: Bytes['form']): void => {
  const { model, fused, quantized } = start;
  const [site] = sitesOfWeight(fused, weight);
  const isLinear = form === 'linear' && site?.use.kind === 'linear';
  const input = isLinear ? inputOf(start, site.node.inputs[0]) : undefined;
  for (const { name } of partsIn(start, weight)) {
    const along = isLinear && site.use.kind === 'linear' && site.use.inner === 1 ? 1 : 0;
    const limit = isLinear ? eightBitLimit(quantized.options) : 127;
    faked.set(name, { form: 'bytes', limit, along, ...(input === undefined ? {} : { input }) });
    if (isSparse(model, name)) held.push(name);
  }
};

/** How the file rounds what a product reads. */
const inputOf = ({ quantized: { options } }: Start, x: Value | null | undefined): FakeInput | undefined => {
  const { products } = options.format ?? int8;
  if (products.kind !== 'integers') return undefined;
  if (products.ranges === 'as it runs') return 'as it runs';
  const range = x == null ? undefined : options.ranges?.get(x);
  return range === undefined ? undefined : fixedPointOf(range);
};

/** A graph whose weights are near what they are stored as, and how each is seen in training. */
export const seenBy = (start: Start): Seen => {
  const { graph } = start.model;
  const preparing: Preparing = { start, weights: new Map(graph.weights), faked: new Map(), held: [] };
  for (const [name, choice] of blockWeights(start)) {
    beginBlocks(preparing, name, choice);
  }
  for (const [name, form] of byteWeights(start)) beginBytes(preparing, name, form);
  if (preparing.held.length === 0) correct(preparing);
  const { weights, faked, held } = preparing;
  const hook: WeightHook = { sees: [], holds: held, wants: () => false, afterUpdate: () => undefined };
  return { model: { ...start.model, graph: { ...graph, weights } }, faked, ...(held.length === 0 ? {} : { hook }) };
};

/** Biases that make up for mean errors of what was rounded: sparse weights are not what they were found for. */
const correct = ({ start, weights }: Preparing): void => {
  const { fused, quantized } = start;
  for (const [bias, tensor] of quantized.source.weights) {
    if (tensor === fused.weights.get(bias) || tensor.dims.length !== 1) continue;
    const all = float32Of(tensor);
    for (const { name, from, count } of partsIn(start, bias)) {
      const own = weights.get(name);
      if (own !== undefined) weights.set(name, tensorOf('float32', own.dims, all.slice(from, from + count)));
    }
  }
};

/** Rows of what was rounded, one after the other. */
const joinedRows = (parts: readonly Rounded[]): Rounded => {
  const bytes = (of: (one: Rounded) => ArrayOf<'uint8'>) => new Uint8Array(Buffer.concat(parts.map(of)));
  const scales = joinedFloats(parts.map((one) => one.scales));
  return { codes: bytes(({ codes }) => codes), scales, zeros: bytes(({ zeros }) => zeros) };
};

/** Blocks of the fused graph from what training saw in the end. */
export const packingsFrom = (start: Start, rounded: ReadonlyMap<Value, Rounded>): Packings =>
  new Map(
    blockWeights(start).map(([name, { grid, use }]) => {
      const before = start.quantized.packings.get(name);
      const parts = partsIn(start, name).flatMap((part) => rounded.get(part.name) ?? []);
      if (before === undefined) throw new Error(`'${name}' was not rounded`);
      return [name, packedOf(before, grid, joinedRows(parts), use)];
    }),
  );

/** Trains a model that sees its weights as they will be stored. */
export type Train = (seen: Seen) => Promise<TrainedModel>;

/** A model that will be trained, and its fused form. */
interface Before {
  readonly model: Model;
  readonly fused: Graph;
  readonly train: Train;
}

/** What training makes of what was rounded: the file as training saw it in the end. */
export const trainedAgain = async (
  { model, fused, train }: Before,
  quantized: Quantized,
): Promise<{ readonly quantized: Quantized; readonly trained: TrainedModel }> => {
  const start = { model, fused, quantized };
  const trained = await train(seenBy(start));
  const { options } = quantized;
  const again = fusedFor(trained.model.graph, options.format ?? int8);
  return { quantized: quantizeWeights(again, options, packingsFrom(start, trained.rounded)), trained };
};

/**
 * The graph that is trained, where one is, with activations evened out as its fused form has them. Fusing it again gives what is
 * stored; a factor behind attention stays a product there, since values of attention are no matrix of their own in training.
 */
export const trainedFrom = (
  { fused, scales = new Map() }: { readonly fused: Graph; readonly scales?: Scales | undefined },
  {
    model,
    options,
    train,
  }: { readonly model: Model; readonly options: QuantizeOptions; readonly train?: Train | undefined },
): Before | undefined => {
  if (train === undefined) return undefined;
  const own = new Map<Value, Float32Array>();
  for (const { input, products } of productGroups(fused)) {
    const [known, weight] = [scales.get(input), products[0]?.weight];
    const [part] = weight === undefined ? [] : partsIn({ model, fused }, weight);
    const x = part === undefined ? undefined : sitesOfWeight(model.graph, part.name)[0]?.node.inputs[0];
    if (known !== undefined && x != null) own.set(x, known);
  }
  if (own.size === 0) return { model, fused, train };
  const even = { ...model, graph: smoothed(model.graph, own) };
  return { model: even, fused: fusedFor(even.graph, options.format ?? int8), train };
};
