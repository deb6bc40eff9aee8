import { symbol } from '../graph/dim.ts';
import { type Value, value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';
import { dropout, type Emission, linear, parameter } from './blocks.ts';
import { type EncoderValues, emitLayers, type LayerNames, type StackShape } from './emit-encoder.ts';

/** Everything that tells one Vision Transformer from another. */
export interface VitShape extends Omit<StackShape, 'embedding' | 'names' | 'norm' | 'finalNorm'> {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Height and width of a patch. */
  readonly patch: readonly [height: number, width: number];
  /** Learnt positions in front of the patches, by the names of their parameters. */
  readonly tokens: readonly string[];
}

/** Names of parameters, as transformers has them. */
const names: LayerNames = {
  layer: (index) => `encoder.layer.${index}`,
  query: 'attention.attention.query',
  key: 'attention.attention.key',
  value: 'attention.attention.value',
  mixed: 'attention.output.dense',
  attentionNorm: 'layernorm_before',
  up: 'intermediate.dense',
  down: 'output.dense',
  outputNorm: 'layernorm_after',
  finalNorm: 'layernorm',
};

/** The name that transformers and its clients feed. */
const pixelInput = value('pixel_values');

/** Patches down and across; an image that does not end with one is refused. */
export const gridOf = ({ height, width, patch: [tall, wide] }: Pick<VitShape, 'height' | 'width' | 'patch'>) => {
  if (height % tall === 0 && width % wide === 0) return [height / tall, width / wide] as const;
  throw modelError(`patches of ${tall} x ${wide} pixels do not fill images of ${height} x ${width}`);
};

/**
 * Each patch as a vector: (batch, channels, height, width) to (batch, patches, hidden). A product over the pixels of a patch is
 * what a convolution does whose kernels meet no pixel twice.
 */
const patches = (emission: Emission, shape: VitShape, pixels: Value): Value => {
  const { builder } = emission;
  const { channels, patch, hidden } = shape;
  const [tall, wide] = patch;
  const [down, across] = gridOf(shape);
  const apart = builder.op('Reshape', [pixels, builder.ints([0, channels, down, tall, across, wide])]);
  // (batch, down, across, channels, patch height, patch width)
  const turned = builder.op('Transpose', [apart], { perm: [0, 2, 4, 1, 3, 5] });
  const size = channels * tall * wide;
  const flat = builder.op('Reshape', [turned, builder.ints([0, down * across, size])]);
  return linear(emission, 'embeddings.patch_embeddings.projection', flat, [size, hidden], {
    kernel: [channels, tall, wide],
  });
};

/** Learnt positions in front of the patches: (batch, tokens + patches, hidden). */
const withTokens = (emission: Emission, { tokens, hidden }: VitShape, x: Value): Value => {
  if (tokens.length === 0) return x;
  const { builder } = emission;
  const batch = builder.op('Shape', [x], { start: 0, end: 1 });
  const each = builder.op('Concat', [batch, builder.ints([1, 1])], { axis: 0 });
  const rows = tokens.map((name) => builder.op('Expand', [parameter(emission, name, [1, 1, hidden]), each]));
  return builder.op('Concat', [...rows, x], { axis: 1 });
};

const embeddings = (emission: Emission, shape: VitShape, pixels: Value): Value => {
  const { builder } = emission;
  const { tokens, hidden } = shape;
  const [down, across] = gridOf(shape);
  const all = withTokens(emission, shape, patches(emission, shape, pixels));
  const places = parameter(emission, 'embeddings.position_embeddings', [1, tokens.length + down * across, hidden]);
  return dropout(emission, builder.op('Add', [all, places]), shape.dropout);
};

export interface VitValues extends EncoderValues {
  readonly pixels: Value;
}

/** Vision Transformer (Dosovitskiy et al. 2020, arXiv 2010.11929): an encoder over the patches of an image. */
export const emitVit = (emission: Emission, shape: VitShape): VitValues => {
  const { builder } = emission;
  const { channels, height, width } = shape;
  const pixels = builder.input(pixelInput, 'float32', [symbol('batch'), channels, height, width]);
  const x = builder.within('embeddings', () => embeddings(emission, shape, pixels));
  const stack: StackShape = { ...shape, embedding: shape.hidden, norm: 'pre', finalNorm: true, names };
  return { ...emitLayers(emission, stack, x), pixels };
};
