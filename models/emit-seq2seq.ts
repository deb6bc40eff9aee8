import type { GraphBuilder } from '../graph/builder.ts';
import { type Shape, symbol } from '../graph/dim.ts';
import type { Value } from '../graph/graph.ts';
import {
  type Activation,
  activate,
  attend,
  dropout,
  type Emission,
  layerNorm,
  linear,
  lookup,
  maskBias,
  parameter,
  splitHeads,
  textInputs,
} from './blocks.ts';
import { rmsNorm } from './emit-decoder.ts';
import { featuresName } from './emit-encoder.ts';
import type { AnswerInputs } from './signature.ts';

/** Which of the two stacks: what reads the source, or what writes the answer. */
export type Stack = 'encoder' | 'decoder';

/** Names of an attention's parameters below its layer. */
interface AttentionNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** Puts the heads together again. */
  readonly mixed: string;
  readonly norm: string;
}

export interface Seq2SeqNames {
  readonly table: string;
  readonly layer: (stack: Stack, index: number) => string;
  readonly self: AttentionNames;
  /** Looks at the source from the answer. */
  readonly cross: AttentionNames;
  readonly neurons: (stack: Stack) => {
    readonly up: string;
    readonly gate: string;
    readonly down: string;
    readonly norm: string;
  };
  readonly finalNorm: (stack: Stack) => string;
}

/** What stands at the positions of a stack: added to what was looked up, to attention scores, or both. */
export interface Positions {
  /** `words` (batch, length, hidden) with what is added for each position. */
  readonly embedded?: (emission: Emission, stack: Stack, words: Value, positions: Value | undefined) => Value;
  /** (1, heads, queries, keys) by how far each query stands behind each key; of the source by its ids. */
  readonly scores?: (emission: Emission, of: ScoredPositions) => Value;
}

type ScoredPositions =
  | { readonly stack: 'encoder'; readonly ids: Value }
  | { readonly stack: 'decoder'; readonly queries: Value; readonly keys: Value };

/** Everything that tells one encoder-decoder from another. */
export interface Seq2SeqShape {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly heads: Readonly<Record<Stack, number>>;
  readonly headWidth: number;
  readonly layers: Readonly<Record<Stack, number>>;
  readonly ffn: Readonly<Record<Stack, number>>;
  readonly activation: Activation;
  /** Whether neurons are multiplied by others: act(x G) * (x U). */
  readonly gated: boolean;
  readonly norm: 'rms' | 'layer';
  /** Where it stands: before each sublayer, or behind each residual sum. */
  readonly order: 'pre' | 'post';
  readonly finalNorm: boolean;
  readonly biased: boolean;
  /** What attention scores are multiplied by; one over the root of the head width where nothing is said. */
  readonly scale?: number;
  /** What is looked up of the table is multiplied by this. */
  readonly embeddingScale: number;
  /** What is scored is multiplied by this. */
  readonly headScale: number;
  /** Whether the head is the table of the tokens itself, and whether a bias is added to what it says. */
  readonly tied: boolean;
  readonly headBias?: string;
  readonly positions: Positions;
  /** Ratio of all dropout. */
  readonly dropout: number;
  readonly names: Seq2SeqNames;
}

const written: Shape = [symbol('batch'), symbol('target')];

/** The inputs of what writes answers, by the names that Hugging Face uses where it has any. */
const answerInputs = (builder: GraphBuilder): AnswerInputs => ({
  ...textInputs(builder),
  written: builder.input('decoder_input_ids', 'int64', written),
  queries: builder.input('decoder_position_ids', 'int64', written),
  keys: builder.input('decoder_key_position_ids', 'int64', written),
});

interface Context {
  readonly emission: Emission;
  readonly shape: Seq2SeqShape;
  readonly stack: Stack;
}

const normed = ({ emission, shape: { norm, hidden } }: Context, name: string, x: Value, output?: string): Value =>
  norm === 'rms' ? rmsNorm(emission, name, x, hidden, output) : layerNorm(emission, name, x, hidden, { output });

const scaled = ({ builder }: Emission, x: Value, factor: number): Value =>
  factor === 1 ? x : builder.op('Mul', [x, builder.scalar('float32', factor)]);

interface Looking {
  /** Where queries, and keys and values, come from. */
  readonly from: Value;
  readonly at: Value;
  readonly bias: Value | undefined;
}

const attention = ({ emission, shape, stack }: Context, layer: string, names: AttentionNames, looking: Looking) => {
  const { builder } = emission;
  const { hidden, headWidth, biased: bias, scale } = shape;
  const heads = shape.heads[stack];
  const sizes = [heads, headWidth] as const;
  const project = (name: string, x: Value): Value =>
    linear(emission, `${layer}.${name}`, x, [hidden, heads * headWidth], { bias });
  const flat = attend(emission, {
    query: splitHeads(builder, project(names.query, looking.from), sizes),
    // Keys are a value of their own before they are turned: what is remembered.
    key: builder.op('Transpose', [splitHeads(builder, project(names.key, looking.at), sizes)], { perm: [0, 1, 3, 2] }),
    value: splitHeads(builder, project(names.value, looking.at), sizes),
    ...{ heads, headWidth, bias: looking.bias, dropout: shape.dropout },
    ...(scale === undefined ? {} : { scale }),
  });
  return linear(emission, `${layer}.${names.mixed}`, flat, [heads * headWidth, hidden], { bias });
};

const feedForward = ({ emission, shape, stack }: Context, layer: string, x: Value): Value => {
  const { builder } = emission;
  const { hidden, activation, gated, biased: bias } = shape;
  const names = shape.names.neurons(stack);
  const ffn = shape.ffn[stack];
  const into = (name: string): Value => linear(emission, `${layer}.${name}`, x, [hidden, ffn], { bias });
  const active = activate(builder, activation, into(gated ? names.gate : names.up));
  const grown = gated ? builder.op('Mul', [active, into(names.up)]) : active;
  return linear(emission, `${layer}.${names.down}`, dropout(emission, grown, shape.dropout), [ffn, hidden], { bias });
};

/** One part of a layer around a residual sum. */
const sublayer = (context: Context, norm: string, x: Value, part: (x: Value) => Value): Value => {
  const { emission, shape } = context;
  const { builder } = emission;
  const branch = (from: Value): Value => dropout(emission, part(from), shape.dropout);
  if (shape.order === 'pre') return builder.op('Add', [x, branch(normed(context, norm, x))]);
  return normed(context, norm, builder.op('Add', [x, branch(x)]));
};

/** What the layers of a stack look at. */
interface Seen {
  /** Added to the scores of a stack's attention to itself. */
  readonly own: Value | undefined;
  /** What the source became, and what is added to the scores of attention to it. */
  readonly source?: { readonly features: Value; readonly bias: Value };
}

const layerOf = (context: Context, index: number, given: Value, { own, source }: Seen): Value => {
  const { emission, shape, stack } = context;
  const { names } = shape;
  const { builder } = emission;
  const layer = names.layer(stack, index);
  return builder.within(layer, () => {
    let x = sublayer(context, `${layer}.${names.self.norm}`, given, (from) =>
      builder.within('attention', () => attention(context, layer, names.self, { from, at: from, bias: own })),
    );
    if (source !== undefined) {
      const looking = { at: source.features, bias: source.bias };
      x = sublayer(context, `${layer}.${names.cross.norm}`, x, (from) =>
        builder.within('cross', () => attention(context, layer, names.cross, { from, ...looking })),
      );
    }
    return sublayer(context, `${layer}.${names.neurons(stack).norm}`, x, (from) =>
      builder.within('ffn', () => feedForward(context, layer, from)),
    );
  });
};

/** All layers of a stack over what was looked up of its tokens. */
const stackOf = (context: Context, ids: Value, positions: Value | undefined, seen: Seen, output: string): Value => {
  const { emission, shape, stack } = context;
  const { vocabulary, hidden, names } = shape;
  const words = scaled(emission, lookup(emission, names.table, [vocabulary, hidden], ids), shape.embeddingScale);
  const placed = shape.positions.embedded?.(emission, stack, words, positions) ?? words;
  let x = dropout(emission, placed, shape.dropout);
  for (let index = 0; index < shape.layers[stack]; index++) x = layerOf(context, index, x, seen);
  if (!shape.finalNorm) return emission.builder.op('Identity', [x], {}, output);
  return dropout(emission, normed(context, names.finalNorm(stack), x, output), shape.dropout);
};

/** The positions of one row, which are those of all: (batch, length) to (length). */
const ofOne = (builder: GraphBuilder, positions: Value): Value =>
  builder.op('Gather', [positions, builder.scalar('int64', 0)]);

/** 0 where a token may look and a large negative number at what is written behind it: (queries, keys). */
const causalBias = (builder: GraphBuilder, queries: Value, keys: Value): Value => {
  const [own, all] = [
    builder.op('Unsqueeze', [queries, builder.ints([1])]),
    builder.op('Unsqueeze', [keys, builder.ints([0])]),
  ];
  const seen = builder.op('LessOrEqual', [all, own]);
  const bias = builder.op('Where', [seen, builder.scalar('float32', 0), builder.scalar('float32', -1e9)]);
  return builder.op('Unsqueeze', [bias, builder.ints([0, 1])]);
};

/** (batch, target, hidden) to (batch, target, vocabulary). */
const headOf = (emission: Emission, shape: Seq2SeqShape, features: Value): Value => {
  const { builder } = emission;
  const { vocabulary, hidden, tied, names, headBias } = shape;
  const x = scaled(emission, features, shape.headScale);
  return builder.within('lm_head', () => {
    const matrix = tied
      ? builder.op('Transpose', [parameter(emission, names.table, [vocabulary, hidden])], { perm: [1, 0] })
      : parameter({ ...emission, prefix: '' }, 'lm_head.weight', [hidden, vocabulary], 'linear');
    if (headBias === undefined) return builder.op('MatMul', [x, matrix], {}, 'logits');
    const bias = parameter({ ...emission, prefix: '' }, headBias, [vocabulary]);
    return builder.op('Add', [builder.op('MatMul', [x, matrix]), bias], {}, 'logits');
  });
};

/**
 * An encoder-decoder (Vaswani et al. 2017, arXiv 1706.03762): one stack reads the source, the other writes the answer and looks at
 * what the first made of it. Both are one graph, fed the answer in front of each token that is asked for.
 */
export const emitSeq2Seq = (emission: Emission, shape: Seq2SeqShape) => {
  const { builder } = emission;
  const { positions } = shape;
  const inputs = answerInputs(builder);
  const context = (stack: Stack): Context => ({ emission, shape, stack });
  const mask = builder.within('mask', () => maskBias(builder, inputs.mask));
  const far = builder.within('encoder', () => positions.scores?.(emission, { stack: 'encoder', ids: inputs.ids }));
  const own = far === undefined ? mask : builder.op('Add', [far, mask]);
  const features = stackOf(context('encoder'), inputs.ids, undefined, { own }, 'encoder_hidden_states');
  const [queries, keys] = [ofOne(builder, inputs.queries), ofOne(builder, inputs.keys)];
  const causal = builder.within('mask', () => causalBias(builder, queries, keys));
  const behind = builder.within('decoder', () => positions.scores?.(emission, { stack: 'decoder', queries, keys }));
  const seen: Seen = {
    own: behind === undefined ? causal : builder.op('Add', [behind, causal]),
    source: { features, bias: mask },
  };
  const answer = stackOf(context('decoder'), inputs.written, queries, seen, featuresName);
  return { inputs, logits: headOf(emission, shape, answer) };
};
