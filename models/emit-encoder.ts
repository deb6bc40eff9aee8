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
  positionRows,
  splitHeads,
  splitKeys,
} from './blocks.ts';

/** Sizes of one layer. */
interface LayerShape {
  readonly heads: number;
  readonly headWidth: number;
  readonly ffn: number;
}

/** What a layer's attention compares: relative positions may depend on it. */
export interface Compared {
  readonly index: number;
  /** Stands before the names of the layer's parameters. */
  readonly layer: string;
  /** Heads side by side: (batch, sequence, heads * head width). */
  readonly query: Value;
  readonly key: Value;
  readonly heads: number;
  readonly headWidth: number;
}

/** Added to the scores of every layer alike, or to each layer's own. */
export type ScoreBias = Value | ((compared: Compared) => Value);

/** What the layers of one encoder have in common. They may differ in heads and FFN width. */
export interface StackShape {
  /** Width of what comes in; where it differs from `hidden`, the first layer projects the residual stream. */
  readonly embedding: number;
  /** Width of the residual stream. */
  readonly hidden: number;
  readonly layers: readonly LayerShape[];
  /** Where layer normalisation stands: before each sublayer, or after each residual sum as in BERT. */
  readonly norm: 'pre' | 'post';
  readonly activation: Activation;
  /** Pre-norm encoders usually normalise once more at the end. */
  readonly finalNorm: boolean;
  /** Ratio of the Dropout nodes. */
  readonly dropout: number;
  /** The same of attention weights, where it is another. */
  readonly attentionDropout?: number;
  /** What attention scores are multiplied by; one over the root of the head width where nothing is said. */
  readonly scale?: number;
  /** Stands behind one layer as part of it: a convolution. */
  readonly behind?: { readonly index: number; emit(x: Value, output: string): Value };
  /** Whether queries, keys and values have a bias; they have where nothing is said. */
  readonly biased?: boolean;
  /** Names of parameters; BERT's where nothing is said. */
  readonly names?: LayerNames;
}

/** Everything that tells one of decant's own Transformer encoders from another. */
export interface EncoderShape extends StackShape {
  readonly vocabulary: number;
  readonly maxLength: number;
}

/** Names of parameters, the last ones below the layer's own name. */
export interface LayerNames {
  readonly layer: (index: number) => string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** Puts the heads together again. */
  readonly mixed: string;
  readonly attentionNorm: string;
  readonly up: string;
  readonly down: string;
  readonly outputNorm: string;
  /** What stands behind all layers of a pre-norm encoder. */
  readonly finalNorm?: string;
}

const common = {
  layer: (index: number): string => `encoder.layer.${index}`,
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  mixed: 'attention.output.dense',
  up: 'intermediate.dense',
  down: 'output.dense',
};

/** BERT's for post-norm, those of Hugging Face's RobertaPreLayerNorm for pre-norm. */
const defaultNames: Readonly<Record<'pre' | 'post', LayerNames>> = {
  post: { ...common, attentionNorm: 'attention.output.LayerNorm', outputNorm: 'output.LayerNorm' },
  pre: { ...common, attentionNorm: 'attention.LayerNorm', outputNorm: 'intermediate.LayerNorm' },
};

/** What every layer of one stack is emitted with. */
interface Stack {
  readonly emission: Emission;
  readonly shape: StackShape;
  readonly names: LayerNames;
  /** Added to attention scores: 0 where attention may look, a large negative number at padding. */
  readonly bias: ScoreBias | undefined;
}

const attention = ({ emission, shape, names, bias }: Stack, index: number, x: Value, of: LayerShape, width: number) => {
  const { builder } = emission;
  const { heads, headWidth } = of;
  const sizes = [heads, headWidth] as const;
  const layer = names.layer(index);
  const options = { bias: shape.biased ?? true };
  const project = (role: string): Value => linear(emission, `${layer}.${role}`, x, [width, heads * headWidth], options);
  const [query, key, value] = [project(names.query), project(names.key), project(names.value)];
  const flat = attend(emission, {
    query: splitHeads(builder, query, sizes),
    key: splitKeys(builder, key, sizes),
    value: splitHeads(builder, value, sizes),
    ...{ heads, headWidth },
    bias: typeof bias === 'function' ? bias({ index, layer, query, key, heads, headWidth }) : bias,
    ...(shape.scale === undefined ? {} : { scale: shape.scale }),
    dropout: shape.attentionDropout ?? shape.dropout,
  });
  const out = linear(emission, `${layer}.${names.mixed}`, flat, [heads * headWidth, shape.hidden]);
  return dropout(emission, out, shape.dropout);
};

const feedForward = ({ emission, shape, names }: Stack, layer: string, x: Value, ffn: number): Value => {
  const up = linear(emission, `${layer}.${names.up}`, x, [shape.hidden, ffn]);
  const active = activate(emission.builder, shape.activation, up);
  const down = linear(emission, `${layer}.${names.down}`, active, [ffn, shape.hidden]);
  return dropout(emission, down, shape.dropout);
};

/** One layer: attention and feed-forward, each around a residual sum. */
const encoderLayer = (stack: Stack, index: number, x: Value, width: number, output: string | undefined): Value => {
  const { emission, shape, names } = stack;
  const { builder } = emission;
  const layer = shape.layers[index];
  if (layer === undefined)
    throw new RangeError(`the encoder has ${shape.layers.length} layers, none of number ${index}`);
  const name = names.layer(index);
  const pre = shape.norm === 'pre';
  const norm = (part: string, x: Value, size: number, named?: string): Value =>
    layerNorm(emission, `${name}.${part}`, x, size, { output: named });
  const mixed = builder.within('attention', () =>
    attention(stack, index, pre ? norm(names.attentionNorm, x, width) : x, layer, width),
  );
  const residual =
    width === shape.hidden ? x : linear(emission, `${name}.attention.residual`, x, [width, shape.hidden]);
  const middle = builder.op('Add', [mixed, residual]);
  const settled = pre ? middle : norm(names.attentionNorm, middle, shape.hidden);
  const grown = builder.within('ffn', () =>
    feedForward(stack, name, pre ? norm(names.outputNorm, settled, shape.hidden) : settled, layer.ffn),
  );
  const sum = builder.op('Add', [grown, settled], {}, pre ? output : undefined);
  return pre ? sum : norm(names.outputNorm, sum, shape.hidden, output);
};

/** The finished part of a graph: features (batch, sequence, hidden) and the residual stream after each layer. */
export interface EncoderValues {
  readonly features: Value;
  readonly hiddenStates: readonly Value[];
}

/** What the features of every encoder are called in its graph, whatever head stands on them. */
export const featuresName = 'last_hidden_state';

/** What the residual stream after a layer is called, unless it is what the encoder puts out. */
export const hiddenStateName = (index: number): string => `encoder.layer.${index}.output`;

/** Emits the layers over x (batch, sequence, embedding); the features are called `last_hidden_state`. */
export const emitLayers = (emission: Emission, shape: StackShape, x: Value, bias?: ScoreBias): EncoderValues => {
  const { builder } = emission;
  const stack: Stack = { emission, shape, names: shape.names ?? defaultNames[shape.norm], bias };
  let stream = x;
  let width = shape.embedding;
  const hiddenStates = shape.layers.map((_, index) => {
    const last = index === shape.layers.length - 1 && !shape.finalNorm;
    const output = last ? featuresName : hiddenStateName(index);
    stream = builder.within(`encoder.layer.${index}`, () => {
      if (shape.behind?.index !== index) return encoderLayer(stack, index, stream, width, output);
      return shape.behind.emit(encoderLayer(stack, index, stream, width, undefined), output);
    });
    width = shape.hidden;
    return stream;
  });
  const features = shape.finalNorm
    ? layerNorm(emission, stack.names.finalNorm ?? 'LayerNorm', stream, width, { output: featuresName })
    : stream;
  return { features, hiddenStates };
};

const embeddings = (emission: Emission, shape: EncoderShape, ids: Value): Value => {
  const { builder } = emission;
  const { vocabulary, maxLength, embedding } = shape;
  const words = lookup(emission, 'embeddings.word_embeddings.weight', [vocabulary, embedding], ids);
  const rows = positionRows(emission, 'embeddings.position_embeddings.weight', [maxLength, embedding], ids);
  const sum = builder.op('Add', [words, rows]); // (batch, sequence, embedding)
  const normal = shape.norm === 'post' ? layerNorm(emission, 'embeddings.LayerNorm', sum, embedding) : sum;
  return dropout(emission, normal, shape.dropout);
};

/** Emits embeddings and layers of decant's own encoders; the features are called `last_hidden_state`. */
export const emitEncoder = (
  emission: Emission,
  shape: EncoderShape,
  inputs: { readonly ids: Value; readonly mask: Value },
): EncoderValues => {
  const { builder } = emission;
  const bias = maskBias(builder, inputs.mask);
  const x = builder.within('embeddings', () => embeddings(emission, shape, inputs.ids));
  return emitLayers(emission, shape, x, bias);
};
