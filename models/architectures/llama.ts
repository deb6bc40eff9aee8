import { z } from 'zod';
import { modelError } from '../../ground/errors.ts';
import type { Emission, Parameters } from '../blocks.ts';
import { type DecoderShape, decoderInputs, emitDecoder, emitDecoderHead } from '../emit-decoder.ts';
import { type AnyArchitecture, defineArchitecture } from './architecture.ts';
import { activation, positions, ratio, size } from './bert-layers.ts';
import { ropeKeys, turnsIn } from './rope.ts';

/** Keys of config.json that decoders of this kind have in common, with the defaults of LlamaConfig. */
export const llamaKeys = {
  vocab_size: size.default(32_000),
  hidden_size: size.default(4096),
  intermediate_size: size.default(11_008),
  num_hidden_layers: z.int().min(1).max(1000).default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: activation.default('silu'),
  max_position_embeddings: positions.default(2048),
  rms_norm_eps: z.number().positive().default(1e-6),
  ...ropeKeys,
  attention_dropout: ratio.default(0),
  tie_word_embeddings: z.boolean().default(false),
  pad_token_id: z.int().min(-1).nullish(),
} as const;

const common = z.object(llamaKeys);
type Common = z.output<typeof common>;

/** What one kind says of itself beyond the others. */
type Own = Partial<Omit<DecoderShape, 'vocabulary' | 'hidden' | 'layers' | 'heads' | 'kvHeads' | 'headWidth' | 'ffn'>>;

const shapeOf = (config: Common, own: Own): DecoderShape => {
  const { hidden_size: hidden, num_attention_heads: heads } = config;
  const kvHeads = config.num_key_value_heads ?? heads;
  const headWidth = config.head_dim ?? hidden / heads;
  if (heads % kvHeads !== 0) {
    throw modelError(`config.json: num_key_value_heads is ${kvHeads}; expected a divisor of ${heads} heads`);
  }
  if (headWidth % 2 !== 0) throw modelError(`config.json: heads are ${headWidth} wide; expected an even width`);
  return {
    ...{ hidden, heads, kvHeads, headWidth },
    vocabulary: config.vocab_size,
    layers: config.num_hidden_layers,
    ffn: config.intermediate_size,
    turns: turnsIn(config, headWidth, config.max_position_embeddings),
    activation: config.hidden_act,
    tied: config.tie_word_embeddings,
    dropout: 0,
    ...own,
  };
};

/** How the checkpoints of one kind depart from the others. */
interface Departures<C> {
  readonly own: (config: C, emission?: Emission) => Own;
  /** How parameters are kept, where that is not as they are computed with. */
  readonly stored?: (parameters: Parameters) => Parameters;
}

/** An architecture of LLaMA's kind, by what its configuration has beside the common keys. */
export const llamaLike = <C extends Common>(
  modelTypes: readonly string[],
  config: z.ZodType<C>,
  departures: Departures<C>['own'] | Departures<C>,
): AnyArchitecture => {
  const { own, stored = (parameters: Parameters) => parameters } =
    typeof departures === 'function' ? { own: departures } : departures;
  return defineArchitecture<C>({
    modelTypes,
    config,
    prefix: 'model',
    decodes: true,
    facts: (given) => {
      const { vocabulary, hidden, layers, heads, kvHeads, headWidth, ffn } = shapeOf(given, own(given));
      const padding = given.pad_token_id ?? -1;
      return {
        ...{ vocabulary, hidden, layers, heads, kvHeads, headWidth, ffn, embedding: hidden },
        ...{ maxLength: given.max_position_embeddings, epsilon: given.rms_norm_eps },
        padding: padding < 0 ? null : padding,
      };
    },
    emit: (emission, given) => {
      const inputs = decoderInputs(emission.builder);
      const shape = shapeOf(given, own(given, emission));
      return { ...emitDecoder({ ...emission, parameters: stored(emission.parameters) }, shape, inputs), inputs };
    },
    dropout: ({ attention_dropout: attention }) => ({
      ...{ embeddings: 0, positions: 0, hidden: 0, neurons: 0 },
      attention,
    }),
    heads: {
      token: {
        marker: ({ tie_word_embeddings: tied }) => (tied ? 'model.embed_tokens.weight' : 'lm_head.weight'),
        emit: (emission, encoded, given) => emitDecoderHead(emission, shapeOf(given, own(given)), encoded),
        copies: ({ tie_word_embeddings: tied }) => (tied ? [{ copy: 'lm_head.weight' }] : []),
      },
    },
    ignored: [/rotary_emb\.inv_freq$/],
  });
};

/** LLaMA (Touvron et al. 2023, arXiv 2302.13971), of all its versions. */
export const llama = llamaLike(
  ['llama'],
  z.object({
    ...llamaKeys,
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    pretraining_tp: z.literal(1).optional(),
  }),
  ({ attention_bias: bias, mlp_bias: neurons }) => ({ biases: { projections: bias, mixed: bias, neurons } }),
);
