import { z } from 'zod';
import { modelError } from '../../ground/errors.ts';
import type { GptNames } from '../emit-gpt.ts';
import { defineArchitecture } from './architecture.ts';
import { activation, positions, ratio, size } from './bert-layers.ts';
import { gptParts } from './gpt-like.ts';
import { ropeKeys, turnedShareIn, turnsIn } from './rope.ts';

/** Keys of config.json, with the defaults of GPTNeoXConfig. */
const config = z
  .object({
    vocab_size: size.default(50_432),
    hidden_size: size.default(6144),
    num_hidden_layers: z.int().min(1).max(1000).default(44),
    num_attention_heads: size.default(64),
    intermediate_size: size.default(24_576),
    hidden_act: activation.default('gelu'),
    attention_dropout: ratio.default(0),
    hidden_dropout: ratio.default(0),
    max_position_embeddings: positions.default(2048),
    layer_norm_eps: z.number().positive().default(1e-5),
    use_parallel_residual: z.boolean().default(true),
    attention_bias: z.boolean().default(true),
    tie_word_embeddings: z.boolean().default(false),
    pad_token_id: z.int().min(-1).nullish(),
    ...ropeKeys,
    rotary_emb_base: z.number().positive().optional(),
    rotary_pct: z.number().positive().max(1).optional(),
  })
  .transform(({ rotary_emb_base: theta, ...rest }) => ({ ...rest, rope_theta: rest.rope_theta ?? theta }));
type Config = z.output<typeof config>;

const names: GptNames = {
  tokens: 'embed_in',
  layer: (index) => `layers.${index}`,
  attentionNorm: 'input_layernorm',
  projections: 'attention.query_key_value',
  mixed: 'attention.dense',
  ffnNorm: 'post_attention_layernorm',
  up: 'mlp.dense_h_to_4h',
  down: 'mlp.dense_4h_to_h',
  finalNorm: 'final_layer_norm',
};

/** How many numbers of each head are turned; a quarter where no file says it. */
const turnedWidth = (given: Config): number => {
  const width = given.hidden_size / given.num_attention_heads;
  const turned = Math.floor(width * (turnedShareIn(given) ?? given.rotary_pct ?? 0.25));
  if (turned > 0 && turned % 2 === 0) return turned;
  throw modelError(`config.json: rotary positions turn ${turned} numbers of each head; expected an even number`);
};

/** GPT-NeoX (Black et al. 2022, arXiv 2204.06745), as Pythia is one: neurons beside attention, heads that turn in part. */
export const gptNeox = defineArchitecture<Config>({
  modelTypes: ['gpt_neox'],
  config,
  prefix: 'gpt_neox',
  ...gptParts((given) => {
    const { hidden_size: hidden, num_attention_heads: heads } = given;
    return {
      shape: {
        ...{ hidden, heads, names, byHead: true },
        vocabulary: given.vocab_size,
        layers: given.num_hidden_layers,
        ffn: given.intermediate_size,
        activation: given.hidden_act,
        turns: turnsIn(given, turnedWidth(given), given.max_position_embeddings),
        norms: given.use_parallel_residual ? 'beside' : 'before',
        biases: { attention: given.attention_bias, neurons: true },
        scale: () => (hidden / heads) ** -0.5,
        dropout: {
          ...{ embeddings: given.hidden_dropout, hidden: given.hidden_dropout, attention: given.attention_dropout },
        },
      },
      facts: {
        ...{ maxLength: given.max_position_embeddings, epsilon: given.layer_norm_eps },
        ...{ padding: given.pad_token_id, tied: given.tie_word_embeddings },
      },
    };
  }),
  ignored: [/\.attention\.(masked_)?bias$/, /rotary_emb\.inv_freq$/],
});
