import { z } from 'zod';
import { activation, headsDivide, positions, ratio, size } from './bert-layers.ts';

const layerTypes = ['full_attention', 'sliding_attention'] as const;
export type LayerType = (typeof layerTypes)[number];

/** Rotary settings of one kind of layer, as transformers writes them since version 5. */
const rope = z.object({
  rope_type: z.literal('default').optional(),
  /** What rope_type was called before. */
  type: z.literal('default').optional(),
  rope_theta: z.number().positive().optional(),
});

/** Keys of config.json, with the defaults of ModernBertConfig; those of before version 5 beside the new ones. */
export const modernConfig = z
  .object({
    vocab_size: size.default(50_368),
    hidden_size: size.default(768),
    intermediate_size: size.default(1152),
    num_hidden_layers: z.int().min(1).max(1000).default(22),
    num_attention_heads: size.default(12),
    hidden_activation: activation.default('gelu'),
    max_position_embeddings: positions.default(8192),
    norm_eps: z.number().positive().default(1e-5),
    norm_bias: z.boolean().default(false),
    pad_token_id: z.int().min(0).nullable().default(50_283),
    attention_bias: z.boolean().default(false),
    attention_dropout: ratio.default(0),
    layer_types: z.array(z.enum(layerTypes)).nullish(),
    global_attn_every_n_layers: size.default(3),
    rope_parameters: z.partialRecord(z.enum(layerTypes), rope.nullable()).nullish(),
    rope_scaling: z.null().optional(),
    global_rope_theta: z.number().positive().default(160_000),
    local_rope_theta: z.number().positive().nullish(),
    local_attention: size.default(128),
    /** Half of local_attention: where it is written, it counts. */
    sliding_window: size.optional(),
    head_dim: size.nullish(),
    embedding_dropout: ratio.default(0),
    mlp_bias: z.boolean().default(false),
    mlp_dropout: ratio.default(0),
    decoder_bias: z.boolean().default(true),
    classifier_pooling: z.enum(['cls', 'mean']).default('cls'),
    classifier_dropout: ratio.default(0),
    classifier_bias: z.boolean().default(false),
    classifier_activation: activation.default('gelu'),
    tie_word_embeddings: z.boolean().default(true),
  })
  .superRefine((config, ctx) => {
    headsDivide(config, ctx);
    const { layer_types, num_hidden_layers, hidden_size, num_attention_heads } = config;
    if ((hidden_size / num_attention_heads) % 2 === 1) {
      const message = `expected heads of even width, whose halves turn; found ${hidden_size / num_attention_heads}`;
      ctx.addIssue({ code: 'custom', message, path: ['num_attention_heads'] });
    }
    const width = hidden_size / num_attention_heads;
    if (config.head_dim != null && config.head_dim !== width) {
      const message = `expected ${width}, hidden_size over num_attention_heads; found ${config.head_dim}`;
      ctx.addIssue({ code: 'custom', message, path: ['head_dim'] });
    }
    if (layer_types == null || layer_types.length === num_hidden_layers) return;
    const message = `expected one kind a layer, ${num_hidden_layers}; found ${layer_types.length}`;
    ctx.addIssue({ code: 'custom', message, path: ['layer_types'] });
  });
export type ModernConfig = z.infer<typeof modernConfig>;

/** The kind of every layer: said one by one, or each n-th looks at the whole text. */
export const layerTypesOf = (config: ModernConfig): readonly LayerType[] =>
  config.layer_types ??
  Array.from({ length: config.num_hidden_layers }, (_, i) =>
    i % config.global_attn_every_n_layers === 0 ? 'full_attention' : 'sliding_attention',
  );

/** How far a local layer looks to either side. */
export const reachOf = ({ sliding_window, local_attention }: ModernConfig): number =>
  sliding_window ?? Math.floor(local_attention / 2);

/** The base of rotary positions of one kind of layer. */
export const thetaOf = (config: ModernConfig, type: LayerType): number => {
  const said = config.rope_parameters?.[type]?.rope_theta;
  if (said !== undefined) return said;
  if (type === 'full_attention') return config.global_rope_theta;
  return config.local_rope_theta === null ? config.global_rope_theta : (config.local_rope_theta ?? 10_000);
};
