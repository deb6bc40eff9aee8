import { z } from 'zod';
import type { LayerNames } from '../emit-encoder.ts';
import { defineArchitecture } from './architecture.ts';
import {
  activation,
  type BertConfig,
  bertConfig,
  bertDropout,
  bertFacts,
  bertStack,
  emitBert,
  positions,
  ratio,
  size,
} from './bert-layers.ts';
import { firstTokenHead, maskedHead, tokenHead } from './heads.ts';

/** The names that other architectures have for them: transformers reads either. */
const aliases = { dim: 'hidden_size', n_layers: 'num_hidden_layers', n_heads: 'num_attention_heads' } as const;

const withAliases = (config: unknown): unknown => {
  const given: Readonly<Record<string, unknown>> = Object(config);
  const read = Object.entries(aliases).filter(([, alias]) => alias in given);
  return { ...given, ...Object.fromEntries(read.map(([name, alias]) => [name, given[alias]])) };
};

const distilbertConfig = z.object({
  vocab_size: size.default(30_522),
  dim: size.default(768),
  n_layers: z.int().min(1).max(1000).default(6),
  n_heads: size.default(12),
  hidden_dim: size.default(3072),
  activation: activation.default('gelu'),
  dropout: ratio.default(0.1),
  attention_dropout: ratio.default(0.1),
  seq_classif_dropout: ratio.default(0.2),
  max_position_embeddings: positions.default(512),
  pad_token_id: z.int().min(0).nullable().default(0),
  tie_word_embeddings: z.boolean().default(true),
});
type DistilbertConfig = z.infer<typeof distilbertConfig>;

/** transformers fixes it instead of reading it from config.json. */
const EPSILON = 1e-12;

/** The same shape in BERT's words; token types fell away. */
const asBert = (config: DistilbertConfig): BertConfig => ({
  ...bertConfig.parse({}),
  vocab_size: config.vocab_size,
  hidden_size: config.dim,
  num_hidden_layers: config.n_layers,
  num_attention_heads: config.n_heads,
  intermediate_size: config.hidden_dim,
  hidden_act: config.activation,
  hidden_dropout_prob: config.dropout,
  attention_probs_dropout_prob: config.attention_dropout,
  max_position_embeddings: config.max_position_embeddings,
  type_vocab_size: 0,
  layer_norm_eps: EPSILON,
  pad_token_id: config.pad_token_id,
});

const names: LayerNames = {
  layer: (index) => `transformer.layer.${index}`,
  query: 'attention.q_lin',
  key: 'attention.k_lin',
  value: 'attention.v_lin',
  mixed: 'attention.out_lin',
  attentionNorm: 'sa_layer_norm',
  up: 'ffn.lin1',
  down: 'ffn.lin2',
  outputNorm: 'output_layer_norm',
};

/** DistilBERT (Sanh et al. 2019, arXiv 1910.01108): BERT with half the layers, without token types and pooler. */
export const distilbert = defineArchitecture({
  modelTypes: ['distilbert'],
  config: z.preprocess(withAliases, distilbertConfig).superRefine(({ dim, n_heads }, ctx) => {
    if (dim % n_heads === 0) return;
    ctx.addIssue({
      code: 'custom',
      message: `expected a divisor of dim, which is ${dim}; found ${n_heads}`,
      path: ['n_heads'],
    });
  }),
  aliases: Object.values(aliases),
  prefix: 'distilbert',
  facts: (config) => bertFacts(asBert(config)),
  emit: (emission, config) => {
    const bert = asBert(config);
    return emitBert(emission, bert, { stack: { ...bertStack(bert), names } });
  },
  dropout: (config) => bertDropout(asBert(config)),
  heads: {
    text: {
      marker: 'pre_classifier.weight',
      dropout: (config) => ({ classifier: config.seq_classif_dropout }),
      emit: (emission, encoded, config, labels) =>
        firstTokenHead(emission, encoded, labels, {
          pooler: { dense: 'pre_classifier', activation: 'relu' },
          out: 'classifier',
          dropout: config.seq_classif_dropout,
        }),
    },
    word: tokenHead((config: DistilbertConfig) => config.dropout),
    token: maskedHead((config: DistilbertConfig) => ({
      width: config.dim,
      vocabulary: config.vocab_size,
      dense: 'vocab_transform',
      norm: 'vocab_layer_norm',
      activation: config.activation,
      bias: 'vocab_projector.bias',
      decoder: 'vocab_projector',
      tied: config.tie_word_embeddings,
    })),
  },
  ignored: [/^embeddings\.position_ids$/, /^vocab_(transform|layer_norm|projector)\./],
});
