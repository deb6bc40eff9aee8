import type { Value } from '../../graph/graph.ts';
import { dropout, type Emission } from '../blocks.ts';
import { pool } from '../head.ts';
import { type HeadLayout, outside } from './architecture.ts';
import { logitsName, maskedHead, project, type Transform, transformed } from './heads.ts';
import type { ModernConfig } from './modernbert-config.ts';

/** What every head of ModernBERT begins with. */
const transformOf = (config: ModernConfig): Transform => ({
  dense: 'head.dense',
  norm: 'head.norm',
  activation: config.classifier_activation,
  denseBias: config.classifier_bias,
  normBias: config.norm_bias,
});

const classified = (head: Emission, config: ModernConfig, x: Value, labels: number): Value => {
  const transform = transformed(head, x, config.hidden_size, transformOf(config));
  return project(head, 'classifier', dropout(head, transform, config.classifier_dropout), labels, logitsName);
};

/** Classifies a text by its first token, or by the mean of all: (batch, labels). */
export const modernTextHead: HeadLayout<ModernConfig> = {
  marker: 'classifier.weight',
  dropout: ({ classifier_dropout: classifier }) => ({ classifier }),
  emit: (emission, { features, inputs }, config, labels) => {
    const head = outside(emission);
    const pooling = config.classifier_pooling === 'mean' ? 'mean' : 'first';
    return head.builder.within('classifier', () =>
      classified(head, config, pool(head.builder, features, inputs.mask, pooling), labels),
    );
  },
};

/** (batch, sequence, labels) */
export const modernTokenHead: HeadLayout<ModernConfig> = {
  marker: 'classifier.weight',
  dropout: ({ classifier_dropout: classifier }) => ({ classifier }),
  emit: (emission, { features }, config, labels) => {
    const head = outside(emission);
    return head.builder.within('classifier', () => classified(head, config, features, labels));
  },
};

export const modernMaskedHead = maskedHead((config: ModernConfig) => ({
  ...transformOf(config),
  width: config.hidden_size,
  vocabulary: config.vocab_size,
  decoder: 'decoder',
  tied: config.tie_word_embeddings,
  bias: config.decoder_bias ? 'decoder.bias' : undefined,
}));
