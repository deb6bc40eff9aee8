import { z } from 'zod';
import type { GptNames } from '../emit-gpt.ts';
import { defineArchitecture } from './architecture.ts';
import { activation, positions, ratio, size } from './bert-layers.ts';
import { gptParts } from './gpt-like.ts';

/** Keys of config.json, with the defaults of OPTConfig. */
const config = z.object({
  vocab_size: size.default(50_272),
  hidden_size: size.default(768),
  num_hidden_layers: z.int().min(1).max(1000).default(12),
  ffn_dim: size.default(3072),
  max_position_embeddings: positions.default(2048),
  do_layer_norm_before: z.boolean().default(true),
  _remove_final_layer_norm: z.boolean().default(false),
  word_embed_proj_dim: size.nullish(),
  dropout: ratio.default(0.1),
  attention_dropout: ratio.default(0),
  num_attention_heads: size.default(12),
  activation_function: activation.default('relu'),
  enable_bias: z.boolean().default(true),
  layer_norm_elementwise_affine: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().min(-1).nullish().default(1),
});
type Config = z.output<typeof config>;

/** Rows of the table of positions that belong to none. */
const UNUSED = 2;

/** transformers fixes it instead of reading it from config.json. */
const EPSILON = 1e-5;

const namesOf = ({ do_layer_norm_before: before, _remove_final_layer_norm: without }: Config): GptNames => ({
  tokens: 'decoder.embed_tokens',
  layer: (index) => `decoder.layers.${index}`,
  attentionNorm: 'self_attn_layer_norm',
  projections: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  mixed: 'self_attn.out_proj',
  ffnNorm: 'final_layer_norm',
  up: 'fc1',
  down: 'fc2',
  ...(before && !without ? { finalNorm: 'decoder.final_layer_norm' } : {}),
});

/** OPT (Zhang et al. 2022, arXiv 2205.01068). Its model of 350 million has norms behind each sum, and tokens of a width of their own. */
export const opt = defineArchitecture<Config>({
  modelTypes: ['opt'],
  config,
  prefix: 'model',
  ...gptParts((given) => {
    const { hidden_size: hidden, num_attention_heads: heads, enable_bias: biased } = given;
    const width = given.word_embed_proj_dim ?? hidden;
    const projected = { width, into: 'decoder.project_in', outOf: 'decoder.project_out' };
    return {
      shape: {
        ...{ hidden, heads, names: namesOf(given) },
        vocabulary: given.vocab_size,
        layers: given.num_hidden_layers,
        ffn: given.ffn_dim,
        activation: given.activation_function,
        ...(width === hidden ? {} : { embedding: projected }),
        table: { name: 'decoder.embed_positions', rows: given.max_position_embeddings + UNUSED, first: UNUSED },
        norms: given.do_layer_norm_before ? 'before' : 'behind',
        learnedNorms: given.layer_norm_elementwise_affine,
        biases: { attention: biased, neurons: biased },
        scale: () => (hidden / heads) ** -0.5,
        dropout: { embeddings: 0, attention: given.attention_dropout, hidden: given.dropout },
      },
      facts: {
        ...{ maxLength: given.max_position_embeddings, epsilon: EPSILON },
        ...{ padding: given.pad_token_id, tied: given.tie_word_embeddings },
      },
    };
  }),
  ignored: [],
});
