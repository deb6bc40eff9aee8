import type { GraphBuilder } from '../graph/builder.ts';
import { type Shape, symbol } from '../graph/dim.ts';
import type { Value } from '../graph/graph.ts';
import { elementCount, type Tensor, tensorOf } from '../graph/tensor.ts';

/** Hands out the tensor of a named parameter: an importer reads it from a file, a new model fills it with zeros. */
export type Parameters = (name: string, dims: readonly number[]) => Tensor;

/** Parameters that all start at zero: a graph's shape before its weights are known. */
export const zeros: Parameters = (_, dims) => tensorOf('float32', dims, new Float32Array(elementCount(dims)));

/** Everything that tells one Transformer encoder from another. Layers may differ in heads and FFN width. */
export interface EncoderShape {
  readonly vocabulary: number;
  readonly maxLength: number;
  /** Width of the token embeddings; where it differs from `hidden`, the first layer projects the residual stream. */
  readonly embedding: number;
  /** Width of the residual stream. */
  readonly hidden: number;
  readonly layers: readonly { readonly heads: number; readonly headWidth: number; readonly ffn: number }[];
  /** Where layer normalisation stands: before each sublayer, or after each residual sum as in BERT. */
  readonly norm: 'pre' | 'post';
  readonly activation: 'gelu' | 'relu';
  readonly epsilon: number;
  /** Pre-norm encoders usually normalise once more at the end. */
  readonly finalNorm: boolean;
  /** Ratio of the Dropout nodes. */
  readonly dropout: number;
}

/** Everything one encoder emission shares. */
interface Emission {
  readonly builder: GraphBuilder;
  readonly parameters: Parameters;
  readonly shape: EncoderShape;
  /** 0 where attention may look, a large negative number at padding: (batch, 1, 1, sequence). */
  readonly bias: Value;
}

const tokens: Shape = [symbol('batch'), symbol('sequence')];

/** Added to attention scores of padding: large enough that softmax gives an exact 0, small enough to stay finite. */
const MASKED_SCORE = -1e9;

/** Inputs of every text model, by the names Hugging Face uses. */
export const textInputs = (builder: GraphBuilder): { readonly ids: Value; readonly mask: Value } => ({
  ids: builder.input('input_ids', 'int64', tokens),
  mask: builder.input('attention_mask', 'int64', tokens),
});

/** x W + b over the last axis, W stored (in, out). */
export const linear = (
  builder: GraphBuilder,
  parameters: Parameters,
  name: string,
  x: Value,
  [width, out]: readonly [number, number],
  output?: string,
): Value => {
  const product = builder.op('MatMul', [
    x,
    builder.weight(`${name}.weight`, parameters(`${name}.weight`, [width, out])),
  ]);
  return builder.op('Add', [product, builder.weight(`${name}.bias`, parameters(`${name}.bias`, [out]))], {}, output);
};

const dense = ({ builder, parameters }: Emission, name: string, x: Value, dims: readonly [number, number]): Value =>
  linear(builder, parameters, name, x, dims);

const layerNorm = (
  { builder, parameters, shape }: Emission,
  name: string,
  x: Value,
  width: number,
  output?: string,
): Value => {
  const scale = builder.weight(`${name}.weight`, parameters(`${name}.weight`, [width]));
  const shift = builder.weight(`${name}.bias`, parameters(`${name}.bias`, [width]));
  return builder.op(
    'LayerNormalization',
    [x, scale, shift],
    { axis: -1, epsilon: { float: Math.fround(shape.epsilon) } },
    output,
  );
};

const dropout = ({ builder, shape }: Emission, x: Value): Value =>
  builder.op('Dropout', [x, builder.scalar('float32', shape.dropout)]);

/** (batch, sequence) of ones and zeros to (batch, 1, 1, sequence) of 0 and MASKED_SCORE. */
const maskBias = (builder: GraphBuilder, mask: Value): Value => {
  const wide = builder.op('Unsqueeze', [mask, builder.ints([1, 2])]);
  const kept = builder.op('Cast', [wide], { to: 1 });
  const padding = builder.op('Sub', [builder.scalar('float32', 1), kept]);
  return builder.op('Mul', [padding, builder.scalar('float32', MASKED_SCORE)]);
};

/** Rows 0 to sequence - 1 of the position table: (sequence, width). */
const positions = ({ builder, parameters, shape }: Emission, ids: Value): Value => {
  const name = 'embeddings.position_embeddings.weight';
  const table = builder.weight(name, parameters(name, [shape.maxLength, shape.embedding]));
  const every = builder.constant(
    tensorOf(
      'int64',
      [shape.maxLength],
      BigInt64Array.from({ length: shape.maxLength }, (_, i) => BigInt(i)),
    ),
  );
  const length = builder.op('Shape', [ids], { start: 1, end: 2 });
  const rows = builder.op('Slice', [every, builder.ints([0]), length, builder.ints([0])]);
  return builder.op('Gather', [table, rows]);
};

const embeddings = (emission: Emission, ids: Value): Value => {
  const { builder, parameters, shape } = emission;
  const name = 'embeddings.word_embeddings.weight';
  const table = builder.weight(name, parameters(name, [shape.vocabulary, shape.embedding]));
  const words = builder.op('Gather', [table, ids]); // (batch, sequence, embedding)
  const sum = builder.op('Add', [words, positions(emission, ids)]);
  const normal = shape.norm === 'post' ? layerNorm(emission, 'embeddings.LayerNorm', sum, shape.embedding) : sum;
  return dropout(emission, normal);
};

const attention = (
  emission: Emission,
  name: string,
  x: Value,
  width: number,
  layer: EncoderShape['layers'][number],
): Value => {
  const { builder, shape } = emission;
  const { heads, headWidth } = layer;
  const split = (role: string, perm: readonly number[]): Value => {
    const flat = dense(emission, `${name}.self.${role}`, x, [width, heads * headWidth]);
    return builder.op('Transpose', [builder.op('Reshape', [flat, builder.ints([0, 0, heads, headWidth])])], { perm });
  };
  const query = split('query', [0, 2, 1, 3]); // (batch, heads, sequence, head width)
  const key = split('key', [0, 2, 3, 1]); // (batch, heads, head width, sequence)
  const value = split('value', [0, 2, 1, 3]);
  const scores = builder.op('Mul', [
    builder.op('MatMul', [query, key]), // (batch, heads, sequence, sequence)
    builder.scalar('float32', 1 / Math.sqrt(headWidth)),
  ]);
  const weights = builder.op('Softmax', [builder.op('Add', [scores, emission.bias])], { axis: -1 });
  const mixed = builder.op('MatMul', [dropout(emission, weights), value]); // (batch, heads, sequence, head width)
  const together = builder.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  const flat = builder.op('Reshape', [together, builder.ints([0, 0, heads * headWidth])]);
  return dropout(emission, dense(emission, `${name}.output.dense`, flat, [heads * headWidth, shape.hidden]));
};

const feedForward = (emission: Emission, name: string, x: Value, ffn: number): Value => {
  const { builder, shape } = emission;
  const up = dense(emission, `${name}.intermediate.dense`, x, [shape.hidden, ffn]);
  const active = builder.op(shape.activation === 'gelu' ? 'Gelu' : 'Relu', [up]);
  return dropout(emission, dense(emission, `${name}.output.dense`, active, [ffn, shape.hidden]));
};

/**
 * One layer: attention and feed-forward, each around a residual sum. Parameter names are BERT's for post-norm and those
 * of Hugging Face's RobertaPreLayerNorm for pre-norm.
 */
const encoderLayer = (emission: Emission, index: number, x: Value, width: number, output: string): Value => {
  const { builder, shape } = emission;
  const layer = shape.layers[index];
  if (layer === undefined)
    throw new RangeError(`the encoder has ${shape.layers.length} layers, none of number ${index}`);
  const name = `encoder.layer.${index}`;
  const pre = shape.norm === 'pre';
  const norm = (part: string, value: Value, size: number, named?: string): Value =>
    layerNorm(emission, `${name}.${part}.LayerNorm`, value, size, named);
  const mixed = builder.within('attention', () =>
    attention(emission, `${name}.attention`, pre ? norm('attention', x, width) : x, width, layer),
  );
  const residual = width === shape.hidden ? x : dense(emission, `${name}.attention.residual`, x, [width, shape.hidden]);
  const middle = builder.op('Add', [mixed, residual]);
  const settled = pre ? middle : norm('attention.output', middle, shape.hidden);
  const grown = builder.within('ffn', () =>
    feedForward(emission, name, pre ? norm('intermediate', settled, shape.hidden) : settled, layer.ffn),
  );
  const sum = builder.op('Add', [grown, settled], {}, pre ? output : undefined);
  return pre ? sum : norm('output', sum, shape.hidden, output);
};

/** The finished part of a graph: features (batch, sequence, hidden) and the residual stream after each layer. */
export interface EncoderValues {
  readonly features: Value;
  readonly hiddenStates: readonly Value[];
}

/** Emits embeddings and layers; the features are called `last_hidden_state`. */
export const emitEncoder = (
  builder: GraphBuilder,
  shape: EncoderShape,
  parameters: Parameters,
  inputs: { readonly ids: Value; readonly mask: Value },
): EncoderValues => {
  const emission: Emission = { builder, parameters, shape, bias: maskBias(builder, inputs.mask) };
  const features = 'last_hidden_state';
  let x = builder.within('embeddings', () => embeddings(emission, inputs.ids));
  let width = shape.embedding;
  const hiddenStates = shape.layers.map((_, index) => {
    const last = index === shape.layers.length - 1 && !shape.finalNorm;
    const output = last ? features : `encoder.layer.${index}.output`;
    x = builder.within(`encoder.layer.${index}`, () => encoderLayer(emission, index, x, width, output));
    width = shape.hidden;
    return x;
  });
  return { features: shape.finalNorm ? layerNorm(emission, 'LayerNorm', x, width, features) : x, hiddenStates };
};
