import { GraphBuilder } from '../graph/builder.ts';
import { modelError } from '../ground/errors.ts';
import { taskWith } from '../ground/tasks.ts';
import { type Activation, type Emission, zeros } from './blocks.ts';
import { emitVit, gridOf } from './emit-vit.ts';
import { emitClassifier, type Pooling } from './head.ts';
import type { Model, PixelRule } from './model.ts';
import { withPlaces } from './places.ts';
import { reinitializeGraph } from './reinitialize.ts';
import { imageSignature, textPort } from './signature.ts';

export interface VitOptions {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** As wide as the heads that divide `hidden`, where it is not said. */
  readonly headWidth?: number;
  readonly ffn: number;
  /** Edge of a patch, in pixels. */
  readonly patch: number;
  readonly activation: Activation;
  /** Whether a classifier reads a learnt position in front of the patches, or the mean of the patches. */
  readonly pooling: Pooling;
  readonly dropout: number;
  readonly labels: readonly string[];
  /** The images that it reads. */
  readonly pixels: PixelRule;
}

const EPSILON = 1e-6;

/** The model_type of clients whose class is fed pixels and gives scores. */
const modelType = 'vit';

/** A Vision Transformer of decant's own with random weights. */
export const buildVit = (options: VitOptions, seed: number): Model => {
  const { hidden, layers, heads, ffn, patch, activation, pooling, dropout, labels, pixels } = options;
  const { headWidth = hidden / heads } = options;
  if (!Number.isInteger(headWidth))
    throw modelError(`${heads} heads do not divide a width of ${hidden}: choose heads that do`);
  const { channels, height, width } = pixels;
  const shape = { channels, height, width, patch: [patch, patch] } as const;
  const grid = gridOf(shape);
  const builder = new GraphBuilder(modelType);
  const emission: Emission = { builder, parameters: zeros, prefix: '', epsilon: EPSILON };
  const values = emitVit(emission, {
    ...{ ...shape, hidden, activation, dropout },
    layers: Array.from({ length: layers }, () => ({ heads, headWidth, ffn })),
    tokens: pooling === 'first' ? ['embeddings.cls_token'] : [],
  });
  const stand = { at: 'texts', mask: undefined, pooling } as const;
  const logits = emitClassifier(emission, values.features, stand, { columns: labels.length, dropout });
  return {
    graph: withPlaces(reinitializeGraph(builder.freeze([logits]), seed), grid),
    info: {
      ...{ schema: 'decant.model/2', task: taskWith('image', 'choice'), labels, maxLength: 1, modelType },
      signature: imageSignature(values.pixels, textPort(logits)),
      processor: { pixels },
      dimensions: { hidden, layers, heads, ffn, patch },
      origin: `random weights of seed ${seed}`,
    },
  };
};
