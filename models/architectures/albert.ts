import type { z } from 'zod';
import { linear } from '../blocks.ts';
import type { LayerNames } from '../emit-encoder.ts';
import { defineArchitecture } from './architecture.ts';
import {
  activation,
  bertConfig,
  bertDropout,
  bertFacts,
  bertStack,
  emitBert,
  headsDivide,
  idBuffers,
  ratio,
  size,
} from './bert-layers.ts';
import { maskedHead, pooledHead, tokenHead } from './heads.ts';

const config = bertConfig
  .extend({
    vocab_size: size.default(30_000),
    embedding_size: size.default(128),
    hidden_size: size.default(4096),
    num_hidden_groups: bertConfig.shape.num_hidden_layers.default(1),
    inner_group_num: bertConfig.shape.num_hidden_layers.default(1),
    num_attention_heads: size.default(64),
    intermediate_size: size.default(16_384),
    hidden_act: activation.default('gelu_new'),
    hidden_dropout_prob: ratio.default(0),
    attention_probs_dropout_prob: ratio.default(0),
    classifier_dropout_prob: ratio.nullable().default(0.1),
  })
  .superRefine(headsDivide);
type Config = z.infer<typeof config>;

/** Layers that run one after another. Those of one group and number share every parameter. */
const layerCount = (config: Config): number => config.num_hidden_layers * config.inner_group_num;

const namesOf = (config: Config): LayerNames => ({
  layer: (index) => {
    const { num_hidden_layers: layers, num_hidden_groups: groups, inner_group_num: inner } = config;
    const group = Math.floor(Math.floor(index / inner) / (layers / groups));
    return `encoder.albert_layer_groups.${group}.albert_layers.${index % inner}`;
  },
  query: 'attention.query',
  key: 'attention.key',
  value: 'attention.value',
  mixed: 'attention.dense',
  attentionNorm: 'attention.LayerNorm',
  up: 'ffn',
  down: 'ffn_output',
  outputNorm: 'full_layer_layer_norm',
});

const classifierDropout = (config: Config): number => config.classifier_dropout_prob ?? config.hidden_dropout_prob;

/** ALBERT (Lan et al. 2019, arXiv 1909.11942): narrow token embeddings, and layers that share their parameters. */
export const albert = defineArchitecture({
  modelTypes: ['albert'],
  config,
  prefix: 'albert',
  facts: (config) => ({ ...bertFacts(config), layers: layerCount(config), embedding: config.embedding_size }),
  emit: (emission, config) => {
    const { embedding_size: width, hidden_size: hidden } = config;
    return emitBert(emission, config, {
      width,
      widen: (x) => linear(emission, 'encoder.embedding_hidden_mapping_in', x, [width, hidden]),
      stack: { ...bertStack({ ...config, num_hidden_layers: layerCount(config) }), names: namesOf(config) },
    });
  },
  dropout: bertDropout,
  heads: {
    text: pooledHead('pooler', classifierDropout),
    word: tokenHead(classifierDropout),
    token: maskedHead((config: Config) => ({
      width: config.embedding_size,
      vocabulary: config.vocab_size,
      dense: 'predictions.dense',
      norm: 'predictions.LayerNorm',
      activation: config.hidden_act,
      bias: 'predictions.bias',
      decoder: 'predictions.decoder',
      tied: config.tie_word_embeddings,
    })),
  },
  ignored: [...idBuffers, /^pooler\.(weight|bias)$/, /^predictions\./, /^sop_classifier\./],
});
