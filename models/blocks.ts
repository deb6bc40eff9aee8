import type { GraphBuilder } from '../graph/builder.ts';
import { type Shape, symbol } from '../graph/dim.ts';
import { type Value, value } from '../graph/graph.ts';
import { elementCount, type Tensor, tensorOf } from '../graph/tensor.ts';
import type { TextInputs } from './signature.ts';

/**
 * Hands out the tensor of a named parameter: an importer reads it from a file, a new model fills it with zeros. `role` says
 * what the dimensions are: `linear` is a matrix (in, out), which PyTorch stores the other way round,
 * `scale` the factors of a norm.
 */
export type Parameters = (name: string, dims: readonly number[], role?: ParameterRole) => Tensor;

/** A linear over patches may be stored as the kernels of a convolution, (out, channels, height, width), of which these are the last. */
export type ParameterRole = 'linear' | 'scale' | { readonly kernel: readonly number[] };

/** Parameters that all start at zero: a graph's shape before its weights are known. */
export const zeros: Parameters = (_, dims) => tensorOf('float32', dims, new Float32Array(elementCount(dims)));

/** Everything that the blocks of one emission share. */
export interface Emission {
  readonly builder: GraphBuilder;
  readonly parameters: Parameters;
  /** Stands before the name of every parameter: '' or what a checkpoint says, as in 'bert.'. */
  readonly prefix: string;
  /** Of layer normalisation. */
  readonly epsilon: number;
  /** Whether a checkpoint has a tensor of a name, prefix included, where nothing else tells what it computes. */
  readonly holds?: (name: string) => boolean;
}

const tokens: Shape = [symbol('batch'), symbol('sequence')];

/** Added to attention scores of padding: large enough that softmax gives an exact 0, small enough to stay finite. */
export const MASKED_SCORE = -1e9;

/** Inputs of every text model, by the names Hugging Face uses. */
export const textInputs = (builder: GraphBuilder): Omit<TextInputs, 'types'> => ({
  ids: builder.input('input_ids', 'int64', tokens),
  mask: builder.input('attention_mask', 'int64', tokens),
});

/** The input that tells the two texts of a pair apart. */
export const typesInput = (builder: GraphBuilder): Value => builder.input('token_type_ids', 'int64', tokens);

/** A parameter as a weight of the graph. One that was asked for before is the same weight: shared layers stay shared. */
export const parameter = (
  { builder, parameters, prefix }: Emission,
  name: string,
  dims: readonly number[],
  role?: ParameterRole,
): Value => {
  const full = value(`${prefix}${name}`);
  return builder.weightOf(full) === undefined ? builder.weight(full, parameters(full, dims, role)) : full;
};

/** x W + b over the last axis: `name`.weight is stored (in, out); `bias: false` leaves b away. */
export const linear = (
  emission: Emission,
  name: string,
  x: Value,
  [width, out]: readonly [number, number],
  options: { readonly bias?: boolean; readonly output?: string; readonly kernel?: readonly number[] } = {},
): Value => {
  const { builder } = emission;
  const { bias = true, output, kernel } = options;
  const weight = parameter(emission, `${name}.weight`, [width, out], kernel === undefined ? 'linear' : { kernel });
  if (!bias) return builder.op('MatMul', [x, weight], {}, output);
  const product = builder.op('MatMul', [x, weight]);
  return builder.op('Add', [product, parameter(emission, `${name}.bias`, [out])], {}, output);
};

/** Layer normalisation over the last axis (Ba et al. 2016, arXiv 1607.06450); `bias: false` has a scale alone. */
export const layerNorm = (
  emission: Emission,
  name: string,
  x: Value,
  width: number,
  options: { readonly bias?: boolean; readonly output?: string | undefined } = {},
): Value => {
  const scale = parameter(emission, `${name}.weight`, [width], 'scale');
  const shift = options.bias === false ? [] : [parameter(emission, `${name}.bias`, [width])];
  const attrs = { axis: -1, epsilon: { float: Math.fround(emission.epsilon) } };
  return emission.builder.op('LayerNormalization', [x, scale, ...shift], attrs, options.output);
};

export const dropout = ({ builder }: Pick<Emission, 'builder'>, x: Value, ratio: number): Value =>
  builder.op('Dropout', [x, builder.scalar('float32', ratio)]);

/** Rows of a table by id: (batch, sequence) to (batch, sequence, width). */
export const lookup = (emission: Emission, name: string, dims: readonly [number, number], ids: Value): Value =>
  emission.builder.op('Gather', [parameter(emission, name, dims), ids]);

/** 0, 1, 2 ... to the length of the ids, of which there are at most `limit`: (sequence). */
export const positionIds = (builder: GraphBuilder, ids: Value, limit: number): Value => {
  const every = BigInt64Array.from({ length: limit }, (_, i) => BigInt(i));
  const all = builder.constant(tensorOf('int64', [limit], every));
  const length = builder.op('Shape', [ids], { start: 1, end: 2 });
  return builder.op('Slice', [all, builder.ints([0]), length, builder.ints([0])]);
};

/** The first rows of a position table, as many as a text has tokens: (sequence, width). */
export const positionRows = (emission: Emission, name: string, dims: readonly [number, number], ids: Value): Value => {
  const table = parameter(emission, name, dims);
  return emission.builder.op('Gather', [table, positionIds(emission.builder, ids, dims[0])]);
};

/** (batch, sequence) of ones and zeros to (batch, 1, 1, sequence) of 0 and MASKED_SCORE. */
export const maskBias = (builder: GraphBuilder, mask: Value): Value => {
  const wide = builder.op('Unsqueeze', [mask, builder.ints([1, 2])]);
  const kept = builder.op('Cast', [wide], { to: 1 });
  const padding = builder.op('Sub', [builder.scalar('float32', 1), kept]);
  return builder.op('Mul', [padding, builder.scalar('float32', MASKED_SCORE)]);
};

/** Queries and values as `attend` takes them: (batch, sequence, heads * width) to (batch, heads, sequence, width). */
export const splitHeads = (builder: GraphBuilder, flat: Value, [heads, width]: readonly [number, number]): Value =>
  turned(builder, flat, [heads, width], [0, 2, 1, 3]);

/** Keys as `attend` takes them: (batch, sequence, heads * width) to (batch, heads, width, sequence). */
export const splitKeys = (builder: GraphBuilder, flat: Value, [heads, width]: readonly [number, number]): Value =>
  turned(builder, flat, [heads, width], [0, 2, 3, 1]);

const turned = (builder: GraphBuilder, flat: Value, dims: readonly [number, number], perm: readonly number[]): Value =>
  builder.op('Transpose', [builder.op('Reshape', [flat, builder.ints([0, 0, ...dims])])], { perm });

export interface AttentionParts {
  /** (batch, heads, sequence, head width) */
  readonly query: Value;
  /** (batch, heads, head width, sequence) */
  readonly key: Value;
  /** (batch, heads, sequence, head width) */
  readonly value: Value;
  readonly heads: number;
  readonly headWidth: number;
  /** What scores are multiplied by: one over the root of the head width where nothing is said. */
  readonly scale?: number;
  /** Added to the scaled scores: the mask, relative positions, or both; it spreads over (batch, heads, sequence, sequence). */
  readonly bias?: Value | undefined;
  /** Ratio of the Dropout of the attention weights; none where nothing is said. */
  readonly dropout?: number;
  /** What scaled scores are kept below. */
  readonly cap?: number | undefined;
}

/** c tanh(x / c): what is far below c stays as it is, and nothing gets above it. */
export const capped = (builder: GraphBuilder, x: Value, most: number, output?: string): Value => {
  const share = builder.op('Tanh', [builder.op('Mul', [x, builder.scalar('float32', 1 / most)])]);
  return builder.op('Mul', [share, builder.scalar('float32', most)], {}, output);
};

/** softmax(scale Q K^T + bias) V with the heads side by side again: (batch, sequence, heads * head width). */
export const attend = (emission: Pick<Emission, 'builder'>, parts: AttentionParts): Value => {
  const { builder } = emission;
  const { query, key, heads, headWidth, scale = 1 / Math.sqrt(headWidth), dropout: ratio } = parts;
  const scaled = builder.op('Mul', [
    builder.op('MatMul', [query, key]), // (batch, heads, sequence, sequence)
    builder.scalar('float32', scale),
  ]);
  const scores = parts.cap === undefined ? scaled : capped(builder, scaled, parts.cap);
  const biased = parts.bias === undefined ? scores : builder.op('Add', [scores, parts.bias]);
  const weights = builder.op('Softmax', [biased], { axis: -1 });
  const kept = ratio === undefined ? weights : dropout(emission, weights, ratio);
  const mixed = builder.op('MatMul', [kept, parts.value]);
  const together = builder.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  return builder.op('Reshape', [together, builder.ints([0, 0, heads * headWidth])]);
};

/** Emits an activation function. */
type Activate = (builder: GraphBuilder, x: Value) => Value;

const plain =
  (op: string, attrs = {}): Activate =>
  (builder, x) =>
    builder.op(op, [x], attrs);

const tanhGelu = plain('Gelu', { approximate: 'tanh' });

/** x s(a x) with the logistic function s: SiLU for a = 1, quick GELU for 1.702. */
const gated =
  (slope: number): Activate =>
  (builder, x) => {
    const steep = slope === 1 ? x : builder.op('Mul', [x, builder.scalar('float32', slope)]);
    return builder.op('Mul', [x, builder.op('Sigmoid', [steep])]);
  };

/** Names of activation functions as config.json has them (`hidden_act`). */
export const activationNames = [
  'gelu',
  'gelu_python',
  'gelu_new',
  'gelu_fast',
  'gelu_pytorch_tanh',
  'quick_gelu',
  'relu',
  'silu',
  'swish',
  'tanh',
] as const;
export type Activation = (typeof activationNames)[number];

const activations: Readonly<Record<Activation, Activate>> = {
  gelu: plain('Gelu'),
  gelu_python: plain('Gelu'),
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  quick_gelu: gated(1.702),
  relu: plain('Relu'),
  silu: gated(1),
  swish: gated(1),
  tanh: plain('Tanh'),
};

export const activate = (builder: GraphBuilder, name: Activation, x: Value): Value => activations[name](builder, x);
