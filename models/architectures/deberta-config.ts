import { z } from 'zod';
import { activation, bertConfig, headsDivide, ratio, size } from './bert-layers.ts';

/** 'c2p|p2c' of the hub's files, or a list. */
const attentionTypes = z.preprocess(
  (given) => (typeof given === 'string' ? given.toLowerCase().split('|') : (given ?? [])),
  z.array(
    z
      .string()
      .trim()
      .pipe(z.enum(['c2p', 'p2c'])),
  ),
);

/** With fewer there is no near distance on either side, beyond which buckets grow by their logarithm. */
const LEAST_BUCKETS = 4;

/** Keys of config.json, with the defaults of DebertaV2Config. */
export const debertaConfig = bertConfig
  .extend({
    vocab_size: size.default(128_100),
    hidden_size: size.default(1536),
    num_hidden_layers: bertConfig.shape.num_hidden_layers.default(24),
    num_attention_heads: size.default(24),
    intermediate_size: size.default(6144),
    type_vocab_size: bertConfig.shape.type_vocab_size.default(0),
    layer_norm_eps: bertConfig.shape.layer_norm_eps.default(1e-7),
    embedding_size: size.optional(),
    relative_attention: z.boolean().default(false),
    max_relative_positions: z.int().max(10_000_000).default(-1),
    position_buckets: z.int().max(10_000_000).default(-1),
    position_biased_input: z.boolean().default(true),
    pos_att_type: attentionTypes,
    share_att_key: z.boolean().default(false),
    norm_rel_ebd: z.string().default('none'),
    attention_head_size: size.optional(),
    conv_kernel_size: z.int().min(0).max(1000).default(0),
    conv_groups: z.literal(1).default(1),
    conv_act: activation.default('tanh'),
    pooler_dropout: ratio.default(0),
    pooler_hidden_act: activation.default('gelu'),
    cls_dropout: ratio.nullish(),
    legacy: z.boolean().default(true),
  })
  .superRefine((config, ctx) => {
    headsDivide(config, ctx);
    const width = config.hidden_size / config.num_attention_heads;
    if (config.attention_head_size !== undefined && config.attention_head_size !== width) {
      const message = `expected ${width}, hidden_size over num_attention_heads; found ${config.attention_head_size}`;
      ctx.addIssue({ code: 'custom', message, path: ['attention_head_size'] });
    }
    if (config.position_buckets > 0 && config.position_buckets < LEAST_BUCKETS) {
      const message = `expected -1 for none, or at least ${LEAST_BUCKETS}; found ${config.position_buckets}`;
      ctx.addIssue({ code: 'custom', message, path: ['position_buckets'] });
    }
    if (config.conv_kernel_size === 0 || config.conv_kernel_size % 2 === 1) return;
    const message = `expected an odd width, which leaves the length of texts alone; found ${config.conv_kernel_size}`;
    ctx.addIssue({ code: 'custom', message, path: ['conv_kernel_size'] });
  });
export type DebertaConfig = z.infer<typeof debertaConfig>;

/** Whether the table of relative positions is normalised. */
export const normalizesPositions = ({ norm_rel_ebd }: DebertaConfig): boolean =>
  norm_rel_ebd
    .toLowerCase()
    .split('|')
    .some((part) => part.trim() === 'layer_norm');

/** Of the token embeddings: the hidden width where nothing is said. */
export const embeddingWidth = (config: DebertaConfig): number => config.embedding_size ?? config.hidden_size;
