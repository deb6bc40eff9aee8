import { z } from 'zod';
import { ratio, size } from './bert-layers.ts';
import { llamaKeys, llamaLike } from './llama.ts';

/** What its class takes where config.json asks for stretched positions, whatever stands there. */
const stretched = {
  rope_type: 'yarn',
  ...{ factor: 16, beta_fast: 32, beta_slow: 1, attention_factor: 1, original_max_position_embeddings: 2048 },
} as const;

/**
 * minimind (github.com/jingyaogong/minimind) as its own class writes it: LLaMA's parts under LLaMA's names. Later releases
 * normalise queries and keys of each head, which only the weights tell.
 */
export const minimind = llamaLike(
  ['minimind'],
  z
    .object({
      ...llamaKeys,
      vocab_size: size.default(6400),
      hidden_size: size.default(512),
      intermediate_size: size.nullish(),
      num_hidden_layers: llamaKeys.num_hidden_layers.default(8),
      num_attention_heads: size.default(8),
      num_key_value_heads: size.nullish().default(4),
      max_position_embeddings: llamaKeys.max_position_embeddings.default(32_768),
      rope_theta: z.number().positive().default(1e6),
      dropout: ratio.default(0),
      flash_attn: z.unknown().optional(),
      inference_rope_scaling: z.boolean().default(false),
      tie_word_embeddings: z.boolean().default(true),
      use_moe: z.literal(false).default(false),
    })
    .transform(({ rope_parameters: _, rope_scaling: __, inference_rope_scaling: isLong, ...config }) => ({
      ...config,
      intermediate_size: config.intermediate_size ?? 64 * Math.ceil((config.hidden_size * Math.PI) / 64),
      // Its class reads no other setting of them.
      ...(isLong && config.max_position_embeddings > stretched.original_max_position_embeddings
        ? { rope_scaling: stretched }
        : {}),
    })),
  (_, emission) => ({ headNorms: emission?.holds?.(`${emission.prefix}layers.0.self_attn.q_norm.weight`) ?? false }),
);
