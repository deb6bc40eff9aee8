import type { GraphBuilder } from '../graph/builder.ts';
import { type Shape, symbol } from '../graph/dim.ts';
import type { Value } from '../graph/graph.ts';
import type { Turns } from './architectures/rope.ts';
import { type Rotation, rotated, rotationOf } from './architectures/rotary.ts';
import {
  type Activation,
  activate,
  attend,
  capped,
  dropout,
  type Emission,
  linear,
  lookup,
  MASKED_SCORE,
  parameter,
  splitHeads,
} from './blocks.ts';
import { featuresName, hiddenStateName } from './emit-encoder.ts';

/** What a causal decoder reads: all (batch, sequence). Positions are told, so that a text may begin behind padding. */
export interface DecoderInputs {
  readonly ids: Value;
  readonly mask: Value;
  readonly positions: Value;
}

/** Everything that tells one decoder of LLaMA's kind from another. */
export interface DecoderShape {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values, each for as many query heads. */
  readonly kvHeads: number;
  readonly headWidth: number;
  readonly ffn: number;
  /** What positions turn heads by. */
  readonly turns: Turns;
  /** How many tokens a token sees, itself included; all before it where nothing is said. */
  readonly window?: number;
  /** Which layers see no more than the window; all where nothing is said. */
  readonly near?: readonly boolean[];
  /** Where linears have a bias: queries, keys and values, what puts heads together, and the neurons. */
  readonly biases?: { readonly projections?: boolean; readonly mixed?: boolean; readonly neurons?: boolean };
  /** Whether queries and keys of each head are normalised before they are turned. */
  readonly headNorms?: boolean;
  /** Whether what a layer adds to the stream is normalised before, too (Gemma 2). */
  readonly branchNorms?: boolean;
  /** What the rows of the tokens are multiplied by. */
  readonly tokenScale?: number;
  /** What attention scores are multiplied by; one over the root of the head width where nothing is said. */
  readonly scale?: number;
  /** What scores of attention, and of tokens, are kept below: c tanh(x / c). */
  readonly caps?: { readonly attention?: number | undefined; readonly logits?: number | undefined };
  readonly activation: Activation;
  /** Whether the head is the table of the tokens itself. */
  readonly tied: boolean;
  /** Ratio of the Dropout behind attention and feed-forward. */
  readonly dropout: number;
}

/** The values that those who go on with the graph need. */
export interface DecoderValues {
  readonly features: Value;
  readonly hiddenStates: readonly Value[];
  /** The table of the tokens, (vocabulary, hidden). */
  readonly table: Value;
}

/** What scores of the vocabulary are called. */
const logitsName = 'logits';

const tokens: Shape = [symbol('batch'), symbol('sequence')];

export const decoderInputs = (builder: GraphBuilder): DecoderInputs => ({
  ids: builder.input('input_ids', 'int64', tokens),
  mask: builder.input('attention_mask', 'int64', tokens),
  positions: builder.input('position_ids', 'int64', tokens),
});

/** x / sqrt(mean(x^2) + epsilon) scale (Zhang and Sennrich 2019, arXiv 1910.07467) over the last axis. */
export const rmsNorm = (emission: Emission, name: string, x: Value, width: number, output?: string): Value => {
  const scale = parameter(emission, `${name}.weight`, [width], 'scale');
  const attrs = { axis: -1, epsilon: { float: Math.fround(emission.epsilon) } };
  return emission.builder.op('SimplifiedLayerNormalization', [x, scale], attrs, output);
};

/**
 * 0 where a token may look and a large negative number elsewhere, (batch, 1, queries, keys): at no padding and at nothing
 * behind it, and no further back than the window. Keys are counted by the mask and queries by their positions, so that the same bias serves where others were read
 * before, whose keys the mask has, too.
 */
export const causalBias = (builder: GraphBuilder, { mask, positions }: DecoderInputs, window?: number): Value => {
  const one = builder.scalar('int64', 1);
  const keys = builder.op('Sub', [builder.op('CumSum', [mask, one]), one]); // (batch, keys)
  const queries = builder.op('Unsqueeze', [positions, builder.ints([1, 3])]); // (batch, 1, queries, 1)
  const wide = builder.op('Unsqueeze', [keys, builder.ints([1, 2])]);
  const before = builder.op('LessOrEqual', [wide, queries]);
  const kept = builder.op('Cast', [builder.op('Unsqueeze', [mask, builder.ints([1, 2])])], { to: 9 });
  const seen = builder.op('And', [before, kept]);
  const visible = window === undefined ? seen : builder.op('And', [seen, within(builder, wide, queries, window)]);
  return builder.op('Where', [visible, builder.scalar('float32', 0), builder.scalar('float32', MASKED_SCORE)]);
};

/** Whether a key is among the last `window` up to a query. */
const within = (builder: GraphBuilder, keys: Value, queries: Value, window: number): Value =>
  builder.op('Greater', [keys, builder.op('Sub', [queries, builder.scalar('int64', window)])]);

/** What each layer sees: windows where only some have one are another bias. */
const biasesOf = (builder: GraphBuilder, { window, near, layers }: DecoderShape, inputs: DecoderInputs) => {
  const made = new Map<number | undefined, Value>();
  const own = (index: number): number | undefined => (near === undefined || near[index] ? window : undefined);
  for (let index = 0; index < layers; index++) {
    if (!made.has(own(index))) made.set(own(index), causalBias(builder, inputs, own(index)));
  }
  return (index: number): Value => {
    const bias = made.get(own(index));
    if (bias === undefined) throw new RangeError(`the decoder has ${layers} layers, none of number ${index}`);
    return bias;
  };
};

/** Keys or values of a group of heads, once for each head: (batch, groups, length, width) to (batch, heads, length, width). */
const repeated = (builder: GraphBuilder, x: Value, { heads, kvHeads, headWidth }: DecoderShape): Value => {
  if (kvHeads === heads) return x;
  const own = builder.op('Unsqueeze', [x, builder.ints([2])]); // (batch, groups, 1, length, width)
  const every = builder.op('Expand', [own, builder.ints([1, 1, heads / kvHeads, 1, 1])]);
  return builder.op('Reshape', [every, builder.ints([0, heads, -1, headWidth])]);
};

/** What every layer of one decoder is emitted with. */
interface Stack {
  readonly emission: Emission;
  readonly shape: DecoderShape;
  readonly rotation: Rotation;
  /** What the scores of a layer have added. */
  readonly bias: (layer: number) => Value;
}

const attention = ({ emission, shape, rotation, bias }: Stack, index: number, name: string, x: Value): Value => {
  const { builder } = emission;
  const { hidden, heads, kvHeads, headWidth, biases = {}, scale, caps } = shape;
  const project = (role: string, count: number): Value =>
    linear(emission, `${name}.${role}_proj`, x, [hidden, count * headWidth], { bias: biases.projections === true });
  const normal = (role: string, count: number): Value => {
    const made = project(role, count);
    if (shape.headNorms !== true) return made;
    const apart = builder.op('Reshape', [made, builder.ints([0, 0, count, headWidth])]);
    const even = rmsNorm(emission, `${name}.${role}_norm`, apart, headWidth);
    return builder.op('Reshape', [even, builder.ints([0, 0, count * headWidth])]);
  };
  const turned = (role: string, count: number): Value =>
    splitHeads(builder, rotated(builder, normal(role, count), [count, headWidth], rotation), [count, headWidth]);
  const key = repeated(builder, turned('k', kvHeads), shape);
  const flat = attend(emission, {
    query: turned('q', heads),
    key: builder.op('Transpose', [key], { perm: [0, 1, 3, 2] }),
    value: repeated(builder, splitHeads(builder, project('v', kvHeads), [kvHeads, headWidth]), shape),
    ...{ heads, headWidth, bias: bias(index), dropout: shape.dropout, cap: caps?.attention },
    ...(scale === undefined ? {} : { scale }),
  });
  return linear(emission, `${name}.o_proj`, flat, [heads * headWidth, hidden], { bias: biases.mixed === true });
};

/** act(x G) * (x U), then W (Shazeer 2020, arXiv 2002.05202). */
const feedForward = ({ emission, shape }: Stack, name: string, x: Value): Value => {
  const { builder } = emission;
  const { hidden, ffn, activation, biases = {} } = shape;
  const bias = biases.neurons === true;
  const gate = linear(emission, `${name}.gate_proj`, x, [hidden, ffn], { bias });
  const up = linear(emission, `${name}.up_proj`, x, [hidden, ffn], { bias });
  const active = builder.op('Mul', [activate(builder, activation, gate), up]);
  return linear(emission, `${name}.down_proj`, active, [ffn, hidden], { bias });
};

/** What norms are called: behind attention, before the neurons and behind them. */
const layerNorms = {
  before: { attended: undefined, before: 'post_attention_layernorm', grown: undefined },
  around: {
    ...{ attended: 'post_attention_layernorm', before: 'pre_feedforward_layernorm' },
    grown: 'post_feedforward_layernorm',
  },
} as const;

const layer = (stack: Stack, index: number, x: Value): Value => {
  const { emission, shape } = stack;
  const { builder } = emission;
  const name = `layers.${index}`;
  const {
    attended: behindAttention,
    before,
    grown: behindNeurons,
  } = layerNorms[shape.branchNorms ? 'around' : 'before'];
  const norm = (part: string | undefined, input: Value): Value =>
    part === undefined ? input : rmsNorm(emission, `${name}.${part}`, input, shape.hidden);
  const branch = (made: Value): Value => dropout(emission, made, shape.dropout);
  return builder.within(name, () => {
    const attended = builder.within('attention', () =>
      norm(behindAttention, attention(stack, index, `${name}.self_attn`, norm('input_layernorm', x))),
    );
    const middle = builder.op('Add', [x, branch(attended)]);
    const grown = builder.within('ffn', () =>
      norm(behindNeurons, feedForward(stack, `${name}.mlp`, norm(before, middle))),
    );
    return builder.op('Add', [middle, branch(grown)], {}, hiddenStateName(index));
  });
};

/** (batch, sequence, hidden) to (batch, sequence, vocabulary), by the table of the tokens or a matrix of its own. */
export const emitDecoderHead = (
  emission: Emission,
  { tied, hidden, vocabulary, caps }: Pick<DecoderShape, 'tied' | 'hidden' | 'vocabulary' | 'caps'>,
  { features, table }: Omit<DecoderValues, 'hiddenStates'>,
): Value => {
  const { builder } = emission;
  return builder.within('lm_head', () => {
    const matrix = tied
      ? builder.op('Transpose', [table], { perm: [1, 0] })
      : parameter({ ...emission, prefix: '' }, 'lm_head.weight', [hidden, vocabulary], 'linear');
    if (caps?.logits === undefined) return builder.op('MatMul', [features, matrix], {}, logitsName);
    return capped(builder, builder.op('MatMul', [features, matrix]), caps.logits, logitsName);
  });
};

/**
 * A decoder of LLaMA's kind (Touvron et al. 2023, arXiv 2302.13971): pre-norm with RMSNorm, rotary positions, heads that share
 * keys and values in groups (Ainslie et al. 2023, arXiv 2305.13245) and a gated feed-forward.
 */
export const emitDecoder = (emission: Emission, shape: DecoderShape, inputs: DecoderInputs): DecoderValues => {
  const { builder } = emission;
  const { vocabulary, hidden, layers, turns, tokenScale } = shape;
  const dims = [vocabulary, hidden] as const;
  const bias = builder.within('mask', () => biasesOf(builder, shape, inputs));
  const positions = builder.op('Cast', [inputs.positions], { to: 1 });
  const rotation = builder.within('positions', () => rotationOf(builder, positions, turns));
  const stack: Stack = { emission, shape, rotation, bias };
  const words = lookup(emission, 'embed_tokens.weight', dims, inputs.ids);
  const scaled = tokenScale === undefined ? words : builder.op('Mul', [words, builder.scalar('float32', tokenScale)]);
  let x = dropout(emission, scaled, shape.dropout);
  const hiddenStates = Array.from({ length: layers }, (_, index) => {
    x = layer(stack, index, x);
    return x;
  });
  const features = rmsNorm(emission, 'norm', x, hidden, featuresName);
  return { features, hiddenStates, table: parameter(emission, 'embed_tokens.weight', dims) };
};
