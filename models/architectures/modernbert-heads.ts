import type { Value } from '../../graph/graph.ts';
import { activate, dropout, type Emission, layerNorm, linear, parameter } from '../blocks.ts';
import { firstToken, meanPool } from '../head.ts';
import { type Encoded, outside } from './architecture.ts';
import { logitsName, project } from './heads.ts';
import type { ModernConfig } from './modernbert-config.ts';

/** Dense, activation and norm, which every head of ModernBERT begins with. */
const predictionHead = (head: Emission, config: ModernConfig, x: Value): Value => {
  const { hidden_size: hidden, classifier_bias: bias, norm_bias } = config;
  const dense = linear(head, 'head.dense', x, [hidden, hidden], { bias });
  const active = activate(head.builder, config.classifier_activation, dense);
  return layerNorm(head, 'head.norm', active, hidden, { bias: norm_bias });
};

const classified = (head: Emission, config: ModernConfig, x: Value, labels: number): Value =>
  project(
    head,
    'classifier',
    dropout(head, predictionHead(head, config, x), config.classifier_dropout),
    labels,
    logitsName,
  );

/** Classifies a text by its first token, or by the mean of all: (batch, labels). */
export const modernTextHead = (
  emission: Emission,
  { features, inputs }: Encoded,
  config: ModernConfig,
  labels: number,
): Value => {
  const head = outside(emission);
  const { builder } = head;
  return builder.within('classifier', () => {
    const mean = config.classifier_pooling === 'mean';
    const pooled = mean ? meanPool(builder, features, inputs.mask) : firstToken(builder, features);
    return classified(head, config, pooled, labels);
  });
};

/** (batch, sequence, labels) */
export const modernTokenHead = (
  emission: Emission,
  { features }: Encoded,
  config: ModernConfig,
  labels: number,
): Value => {
  const head = outside(emission);
  return head.builder.within('classifier', () => classified(head, config, features, labels));
};

/** (batch, sequence, vocabulary) */
export const modernMaskedHead = (emission: Emission, { features, table }: Encoded, config: ModernConfig): Value => {
  const head = outside(emission);
  const { builder } = head;
  const { vocab_size: vocabulary, hidden_size: hidden } = config;
  return builder.within('lm_head', () => {
    const x = predictionHead(head, config, features);
    const decoder = config.tie_word_embeddings
      ? builder.op('Transpose', [table], { perm: [1, 0] })
      : parameter(head, 'decoder.weight', [hidden, vocabulary], 'linear');
    if (!config.decoder_bias) return builder.op('MatMul', [x, decoder], {}, logitsName);
    const bias = parameter(head, 'decoder.bias', [vocabulary]);
    return builder.op('Add', [builder.op('MatMul', [x, decoder]), bias], {}, logitsName);
  });
};
