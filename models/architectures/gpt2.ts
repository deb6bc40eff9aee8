import { z } from 'zod';
import type { GptNames } from '../emit-gpt.ts';
import { defineArchitecture } from './architecture.ts';
import { activation, positions, ratio, size } from './bert-layers.ts';
import { gptParts } from './gpt-like.ts';

/** Keys of config.json, with the defaults of GPT2Config. */
const config = z.object({
  vocab_size: size.default(50_257),
  n_positions: positions.default(1024),
  n_embd: size.default(768),
  n_layer: z.int().min(1).max(1000).default(12),
  n_head: size.default(12),
  n_inner: size.nullish(),
  activation_function: activation.default('gelu_new'),
  resid_pdrop: ratio.default(0.1),
  embd_pdrop: ratio.default(0.1),
  attn_pdrop: ratio.default(0.1),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().min(-1).nullish(),
});

const names: GptNames = {
  tokens: 'wte',
  layer: (index) => `h.${index}`,
  attentionNorm: 'ln_1',
  projections: 'attn.c_attn',
  mixed: 'attn.c_proj',
  ffnNorm: 'ln_2',
  up: 'mlp.c_fc',
  down: 'mlp.c_proj',
  finalNorm: 'ln_f',
};

/** GPT-2 (Radford et al. 2019): learned positions, and matrices that are stored as they are multiplied. */
export const gpt2 = defineArchitecture<z.output<typeof config>>({
  modelTypes: ['gpt2'],
  config,
  prefix: 'transformer',
  ...gptParts((given) => {
    const { n_embd: hidden, n_head: heads } = given;
    const scale = given.scale_attn_weights ? (hidden / heads) ** -0.5 : 1;
    return {
      shape: {
        ...{ hidden, heads, names, norms: 'before', stored: 'in-out' },
        vocabulary: given.vocab_size,
        layers: given.n_layer,
        ffn: given.n_inner ?? 4 * hidden,
        activation: given.activation_function,
        table: { name: 'wpe', rows: given.n_positions, first: 0 },
        biases: { attention: true, neurons: true },
        scale: (layer) => (given.scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale),
        dropout: { embeddings: given.embd_pdrop, attention: given.attn_pdrop, hidden: given.resid_pdrop },
      },
      facts: {
        ...{ maxLength: given.n_positions, epsilon: given.layer_norm_epsilon },
        ...{ padding: given.pad_token_id, tied: given.tie_word_embeddings },
      },
    };
  }),
  ignored: [/\.attn\.(masked_)?bias$/],
});
