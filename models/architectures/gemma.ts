import { z } from 'zod';
import { numbersOf, type Tensor, vector } from '../../graph/tensor.ts';
import { modelError } from '../../ground/errors.ts';
import type { Parameters } from '../blocks.ts';
import { activation, size } from './bert-layers.ts';
import { llamaKeys, llamaLike } from './llama.ts';

/** Keys that the kinds of Gemma have in common, with their defaults where these are others than LLaMA's. */
const gemmaKeys = {
  ...llamaKeys,
  vocab_size: size.default(256_000),
  head_dim: size.default(256),
  max_position_embeddings: llamaKeys.max_position_embeddings.default(8192),
  attention_bias: z.boolean().default(false),
  use_bidirectional_attention: z.literal(false).nullish(),
  tie_word_embeddings: z.boolean().default(true),
} as const;

const oneMore = (tensor: Tensor): Tensor =>
  vector(
    'float32',
    numbersOf(tensor).map((factor) => 1 + factor),
  );

/** Checkpoints hold the factors of norms less one, so that what they are not moved to is 0. */
const lessOne =
  (parameters: Parameters): Parameters =>
  (name, dims, role) =>
    role === 'scale' ? oneMore(parameters(name, dims, role)) : parameters(name, dims, role);

interface Common {
  readonly hidden_size: number;
  readonly attention_bias: boolean;
}

const common = ({ hidden_size: hidden, attention_bias: bias }: Common) => ({
  biases: { projections: bias, mixed: bias },
  tokenScale: Math.fround(Math.sqrt(hidden)),
});

/** Gemma (Gemma Team 2024, arXiv 2403.08295): LLaMA with gated GELU, norms around one, and tokens scaled by their width. */
export const gemma = llamaLike(
  ['gemma'],
  z.object({
    ...gemmaKeys,
    hidden_size: size.default(3072),
    intermediate_size: size.default(24_576),
    num_hidden_layers: llamaKeys.num_hidden_layers.default(28),
    num_attention_heads: size.default(16),
    num_key_value_heads: size.default(16),
    // Files of the first release say `gelu` and mean its other form.
    hidden_act: activation
      .default('gelu_pytorch_tanh')
      .transform((name) => (name === 'gelu' ? ('gelu_pytorch_tanh' as const) : name)),
  }),
  { own: common, stored: lessOne },
);

const layerType = z.enum(['full_attention', 'sliding_attention']);

const cap = z.number().positive().nullish();

/** Layers in turns see a window and everything, unless they are named. */
const nearLayers = (types: readonly z.output<typeof layerType>[] | null | undefined, layers: number) => {
  if (types != null && types.length !== layers)
    throw modelError(`config.json: layer_types names ${types.length} layers; expected ${layers}`);
  const named = types?.map((type) => type === 'sliding_attention');
  return named ?? Array.from({ length: layers }, (_, i) => i % 2 === 0);
};

/** Gemma 2 (Gemma Team 2024, arXiv 2408.00118): norms on both sides of each branch, scores that are capped, windows in every other layer. */
export const gemma2 = llamaLike(
  ['gemma2'],
  z.object({
    ...gemmaKeys,
    hidden_size: size.default(2304),
    intermediate_size: size.default(9216),
    num_hidden_layers: llamaKeys.num_hidden_layers.default(26),
    num_attention_heads: size.default(8),
    num_key_value_heads: size.default(4),
    hidden_activation: activation.default('gelu_pytorch_tanh'),
    query_pre_attn_scalar: z.number().positive().default(256),
    sliding_window: size.nullish().default(4096),
    layer_types: z.array(layerType).nullish(),
    attn_logit_softcapping: cap.default(50),
    final_logit_softcapping: cap.default(30),
  }),
  {
    stored: lessOne,
    own: (config) => ({
      ...common(config),
      branchNorms: true,
      activation: config.hidden_activation,
      scale: config.query_pre_attn_scalar ** -0.5,
      caps: {
        attention: config.attn_logit_softcapping ?? undefined,
        logits: config.final_logit_softcapping ?? undefined,
      },
      ...(config.sliding_window == null ? {} : { window: config.sliding_window }),
      near: nearLayers(config.layer_types, config.num_hidden_layers),
    }),
  },
);
