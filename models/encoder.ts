import type { TokenizerJson } from '../data/tokenizer.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { modelError } from '../ground/errors.ts';
import { taskWith } from '../ground/tasks.ts';
import { type Activation, type Emission, textInputs, zeros } from './blocks.ts';
import { type EncoderShape, emitEncoder } from './emit-encoder.ts';
import { textModelType } from './facts.ts';
import { emitClassifier, type Pooling } from './head.ts';
import type { TextModel, TokenRule } from './model.ts';
import { reinitializeGraph } from './reinitialize.ts';
import { featuresPort, textPort, textSignature } from './signature.ts';

export interface EncoderOptions {
  readonly vocabulary: number;
  readonly hidden: number;
  /** Width of the token embeddings; that of the model where it is not said. */
  readonly embedding?: number;
  readonly layers: number;
  readonly heads: number;
  /** As wide as the heads that divide `hidden`, where it is not said: cut encoders have fewer of them. */
  readonly headWidth?: number;
  readonly ffn: number;
  /** Longest sequence in tokens, special tokens included. */
  readonly maxLength: number;
  readonly norm: 'pre' | 'post';
  readonly activation: Activation;
  readonly pooling: Pooling;
  /** Class names; empty for a model without a head, which puts out features. */
  readonly labels: readonly string[];
  readonly dropout: number;
  readonly tokens: TokenRule;
}

const EPSILON = 1e-6;

const shapeOf = (options: EncoderOptions): EncoderShape => {
  const { hidden, heads, layers, ffn } = options;
  const { headWidth = hidden / heads } = options;
  if (!Number.isInteger(headWidth)) {
    throw modelError(`${heads} heads do not divide a width of ${hidden}: choose heads that do`);
  }
  return {
    ...options,
    embedding: options.embedding ?? hidden,
    layers: Array.from({ length: layers }, () => ({ heads, headWidth, ffn })),
    finalNorm: options.norm === 'pre',
  };
};

/** decant's own encoder with random weights, with a classification head where labels are given. */
export const buildEncoder = (options: EncoderOptions, tokenizer: TokenizerJson, seed: number): TextModel => {
  const builder = new GraphBuilder('encoder');
  const inputs = textInputs(builder);
  const emission: Emission = { builder, parameters: zeros, prefix: '', epsilon: EPSILON };
  const { features } = emitEncoder(emission, shapeOf(options), inputs);
  const { labels, pooling, dropout, hidden, layers, heads, ffn, vocabulary } = options;
  const output =
    labels.length === 0
      ? features
      : emitClassifier(
          emission,
          features,
          { at: 'texts', mask: inputs.mask, pooling },
          { columns: labels.length, dropout },
        );
  return {
    graph: reinitializeGraph(builder.freeze([output]), seed),
    tokenizer,
    info: {
      schema: 'decant.model/2',
      task: taskWith('text', labels.length === 0 ? 'vector' : 'choice'),
      labels,
      signature: textSignature(inputs, labels.length === 0 ? featuresPort(output) : textPort(output)),
      maxLength: options.maxLength,
      processor: { tokens: options.tokens },
      modelType: textModelType,
      dimensions: { hidden, layers, heads, ffn, vocabulary },
      origin: `random weights of seed ${seed}`,
    },
  };
};
