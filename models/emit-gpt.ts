import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { tensorOf } from '../graph/tensor.ts';
import type { Turns } from './architectures/rope.ts';
import { type Rotation, rotated, rotationOf } from './architectures/rotary.ts';
import {
  type Activation,
  activate,
  attend,
  dropout,
  type Emission,
  layerNorm,
  linear,
  lookup,
  type Parameters,
  parameter,
  splitHeads,
} from './blocks.ts';
import { causalBias, type DecoderInputs, type DecoderValues } from './emit-decoder.ts';
import { featuresName, hiddenStateName } from './emit-encoder.ts';

/** Names of parameters, those of a layer below its own name. */
export interface GptNames {
  readonly tokens: string;
  readonly layer: (index: number) => string;
  readonly attentionNorm: string;
  /** Queries, keys and values: three linears, or one that holds all of them. */
  readonly projections: readonly [query: string, key: string, value: string] | string;
  /** Puts the heads together again. */
  readonly mixed: string;
  readonly ffnNorm: string;
  readonly up: string;
  readonly down: string;
  /** What stands behind all layers, where anything does. */
  readonly finalNorm?: string;
}

/** Everything that tells one decoder with plain neurons from another: GPT-2, GPT-NeoX, OPT. */
export interface GptShape {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly ffn: number;
  readonly activation: Activation;
  readonly names: GptNames;
  /** Width of the token embeddings, and what leads from it to the stream and back where it is another. */
  readonly embedding?: { readonly width: number; readonly into: string; readonly outOf: string };
  /** A table of positions, whose first rows may belong to none. */
  readonly table?: { readonly name: string; readonly rows: number; readonly first: number };
  /** What positions turn heads by, where they do. */
  readonly turns?: Turns;
  /** Whether norms stand before each branch, behind each sum, or before two branches that are summed at once. */
  readonly norms: 'before' | 'behind' | 'beside';
  /** Whether linears have a bias: those of attention, and the neurons. */
  readonly biases: { readonly attention: boolean; readonly neurons: boolean };
  /** Whether norms have factors and shifts of their own. */
  readonly learnedNorms?: boolean;
  /** Whether a matrix that holds queries, keys and values has them head by head, and not one after the other. */
  readonly byHead?: boolean;
  /** Whether matrices are stored as they are multiplied, and not the other way round as PyTorch's linears. */
  readonly stored?: 'in-out';
  /** What attention scores of a layer are multiplied by. */
  readonly scale: (layer: number) => number;
  readonly dropout: { readonly embeddings: number; readonly attention: number; readonly hidden: number };
}

/** What every layer is emitted with. */
interface Stack {
  readonly emission: Emission;
  readonly shape: GptShape;
  readonly bias: Value;
  readonly rotation: Rotation | undefined;
}

/** Asks for matrices as they are multiplied. */
const asStored =
  (parameters: Parameters): Parameters =>
  (name, dims, role) =>
    parameters(name, dims, role === 'linear' ? undefined : role);

/** A norm without factors of its own has ones, which are no parameters of the checkpoint. */
const norm = (emission: Emission, { learnedNorms }: GptShape, name: string, x: Value, output?: string): Value => {
  const { builder } = emission;
  const width = Number(builder.type(x).shape?.at(-1));
  if (learnedNorms !== false) return layerNorm(emission, name, x, width, { output });
  const ones = (_: string, dims: readonly number[]) => tensorOf('float32', dims, new Float32Array(width).fill(1));
  return layerNorm({ ...emission, parameters: ones }, name, x, width, { output, bias: false });
};

/** Queries, keys and values, each with heads side by side: (batch, sequence, heads * width). */
const projected = ({ emission, shape }: Stack, name: string, x: Value): readonly Value[] => {
  const { builder } = emission;
  const { hidden, heads, names, biases, byHead } = shape;
  const options = { bias: biases.attention };
  const { projections } = names;
  if (typeof projections !== 'string') {
    return projections.map((role) => linear(emission, `${name}.${role}`, x, [hidden, hidden], options));
  }
  const packed = linear(emission, `${name}.${projections}`, x, [hidden, 3 * hidden], options);
  if (byHead !== true) return builder.ops('Split', [packed], 3, { axis: -1, num_outputs: 3 });
  const apart = builder.op('Reshape', [packed, builder.ints([0, 0, heads, (3 * hidden) / heads])]);
  const parts = builder.ops('Split', [apart], 3, { axis: -1, num_outputs: 3 }); // (batch, sequence, heads, width)
  return parts.map((part) => builder.op('Reshape', [part, builder.ints([0, 0, hidden])]));
};

const attention = (stack: Stack, index: number, name: string, x: Value): Value => {
  const { emission, shape, bias, rotation } = stack;
  const { builder } = emission;
  const { hidden, heads, names } = shape;
  const sizes = [heads, hidden / heads] as const;
  const [query = x, key = x, value = x] = projected(stack, name, x);
  const turn = (flat: Value): Value => (rotation === undefined ? flat : rotated(builder, flat, sizes, rotation));
  const flat = attend(emission, {
    query: splitHeads(builder, turn(query), sizes),
    // What is remembered of keys lies as that of values does.
    key: builder.op('Transpose', [splitHeads(builder, turn(key), sizes)], { perm: [0, 1, 3, 2] }),
    value: splitHeads(builder, value, sizes),
    ...{ heads, headWidth: hidden / heads, bias, scale: shape.scale(index), dropout: shape.dropout.attention },
  });
  const out = linear(emission, `${name}.${names.mixed}`, flat, [hidden, hidden], { bias: shape.biases.attention });
  return dropout(emission, out, shape.dropout.hidden);
};

const feedForward = ({ emission, shape }: Stack, name: string, x: Value): Value => {
  const { hidden, ffn, activation, names } = shape;
  const options = { bias: shape.biases.neurons };
  const up = linear(emission, `${name}.${names.up}`, x, [hidden, ffn], options);
  const active = activate(emission.builder, activation, up);
  const down = linear(emission, `${name}.${names.down}`, active, [ffn, hidden], options);
  return dropout(emission, down, shape.dropout.hidden);
};

const layer = (stack: Stack, index: number, x: Value, output: string): Value => {
  const { emission, shape } = stack;
  const { builder } = emission;
  const { names, norms } = shape;
  const name = names.layer(index);
  const normal = (part: string, input: Value, named?: string): Value =>
    norm(emission, shape, `${name}.${part}`, input, named);
  const before = (part: string, input: Value): Value => (norms === 'behind' ? input : normal(part, input));
  const behind = norms === 'behind';
  return builder.within(`layers.${index}`, () => {
    const attended = builder.within('attention', () => attention(stack, index, name, before(names.attentionNorm, x)));
    const sum = builder.op('Add', [attended, x]);
    const middle = behind ? normal(names.attentionNorm, sum) : sum;
    // Beside attention stand neurons that read what it reads.
    const grown = builder.within('ffn', () =>
      feedForward(stack, name, before(names.ffnNorm, norms === 'beside' ? x : middle)),
    );
    const both = builder.op('Add', [grown, middle], {}, behind ? undefined : output);
    return behind ? normal(names.ffnNorm, both, output) : both;
  });
};

/** Rows of the tokens, with those of their positions where there is a table of them. */
const embeddings = (emission: Emission, shape: GptShape, { ids, positions }: DecoderInputs): Value => {
  const { builder } = emission;
  const { vocabulary, hidden, embedding, table, names } = shape;
  const words = lookup(emission, `${names.tokens}.weight`, [vocabulary, embedding?.width ?? hidden], ids);
  const wide =
    embedding === undefined
      ? words
      : linear(emission, embedding.into, words, [embedding.width, hidden], { bias: false });
  const sum = table === undefined ? wide : builder.op('Add', [wide, placed(emission, hidden, table, positions)]);
  return dropout(emission, sum, shape.dropout.embeddings);
};

const placed = (
  emission: Emission,
  hidden: number,
  { name, rows, first }: NonNullable<GptShape['table']>,
  positions: Value,
): Value => {
  const { builder } = emission;
  const at = first === 0 ? positions : builder.op('Add', [positions, builder.scalar('int64', first)]);
  return lookup(emission, `${name}.weight`, [rows, hidden], at);
};

const rotationIn = (builder: GraphBuilder, { turns }: GptShape, positions: Value): Rotation | undefined =>
  turns === undefined
    ? undefined
    : builder.within('positions', () => rotationOf(builder, builder.op('Cast', [positions], { to: 1 }), turns));

/** What scores are made of: the stream, normalised once more where the model does so, in the width of the tokens. */
const featuresFrom = (emission: Emission, shape: GptShape, x: Value): Value => {
  const { embedding, hidden, names } = shape;
  const normal = (output?: string): Value =>
    names.finalNorm === undefined ? x : norm(emission, shape, names.finalNorm, x, output);
  if (embedding === undefined) return normal(featuresName);
  const sizes = [hidden, embedding.width] as const;
  return linear(emission, embedding.outOf, normal(), sizes, { bias: false, output: featuresName });
};

/**
 * A decoder of GPT's kind (Radford et al. 2019): layer normalisation, neurons that nothing gates, and as many heads of keys as of
 * queries.
 */
export const emitGpt = (given: Emission, shape: GptShape, inputs: DecoderInputs): DecoderValues => {
  const emission = shape.stored === undefined ? given : { ...given, parameters: asStored(given.parameters) };
  const { builder } = emission;
  const { names, embedding, hidden } = shape;
  const bias = builder.within('mask', () => causalBias(builder, inputs));
  const rotation = rotationIn(builder, shape, inputs.positions);
  const stack: Stack = { emission, shape, bias, rotation };
  let x = builder.within('embeddings', () => embeddings(emission, shape, inputs));
  const hiddenStates = Array.from({ length: shape.layers }, (_, index) => {
    const isLast = index === shape.layers - 1 && names.finalNorm === undefined && embedding === undefined;
    x = layer(stack, index, x, isLast ? featuresName : hiddenStateName(index));
    return x;
  });
  const table = parameter(emission, `${names.tokens}.weight`, [shape.vocabulary, embedding?.width ?? hidden]);
  return { features: featuresFrom(emission, shape, x), hiddenStates, table };
};
