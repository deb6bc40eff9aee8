import type { TokenizerJson } from '../data/tokenizer.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { modelError } from '../ground/errors.ts';
import { taskReading } from '../ground/tasks.ts';
import { plainFrequencies } from './architectures/rope.ts';
import { type Emission, zeros } from './blocks.ts';
import { decoderInputs, emitDecoder, emitDecoderHead } from './emit-decoder.ts';
import type { Model, TokenRule } from './model.ts';
import { reinitializeGraph } from './reinitialize.ts';
import { textSignature, tokenPort } from './signature.ts';

/** The model_type under which clients load decoders of this kind. */
export const decoderModelType = 'llama';

export interface DecoderOptions {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** As wide as the heads that divide `hidden`, where it is not said: cut decoders have fewer of them. */
  readonly headWidth?: number;
  readonly ffn: number;
  readonly ropeTheta: number;
  readonly tied: boolean;
  readonly dropout: number;
  /** Longest sequence in tokens. */
  readonly maxLength: number;
  readonly tokens: TokenRule;
  /** The token that texts begin and end with, and its id. */
  readonly end: { readonly id: number; readonly text: string };
}

const EPSILON = 1e-5;

const headWidthOf = ({ hidden, heads, headWidth = hidden / heads }: DecoderOptions): number => headWidth;

const expectDividing = (options: DecoderOptions): void => {
  const { hidden, heads, kvHeads } = options;
  if (headWidthOf(options) % 2 !== 0) {
    throw modelError(`${heads} heads do not divide a width of ${hidden} into even widths: choose heads that do`);
  }
  if (heads % kvHeads !== 0) {
    throw modelError(`${kvHeads} heads of keys and values do not divide ${heads} heads: choose kvHeads that do`);
  }
};

/** config.json as transformers writes it for such a decoder. */
const configOf = (options: DecoderOptions) => ({
  model_type: decoderModelType,
  architectures: ['LlamaForCausalLM'],
  hidden_act: 'silu',
  hidden_size: options.hidden,
  intermediate_size: options.ffn,
  num_hidden_layers: options.layers,
  num_attention_heads: options.heads,
  num_key_value_heads: options.kvHeads,
  head_dim: headWidthOf(options),
  vocab_size: options.vocabulary,
  max_position_embeddings: options.maxLength,
  rms_norm_eps: EPSILON,
  rope_theta: options.ropeTheta,
  tie_word_embeddings: options.tied,
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: options.end.id,
  eos_token_id: options.end.id,
  pad_token_id: options.tokens.padding,
});

/** decant's own decoder with random weights. */
export const buildDecoder = (options: DecoderOptions, tokenizer: TokenizerJson, seed: number): Model => {
  expectDividing(options);
  const builder = new GraphBuilder('decoder');
  const inputs = decoderInputs(builder);
  const emission: Emission = { builder, parameters: zeros, prefix: 'model.', epsilon: EPSILON };
  const { hidden, layers, heads, kvHeads, ffn, vocabulary } = options;
  const headWidth = headWidthOf(options);
  const turns = { frequencies: plainFrequencies(options.ropeTheta, headWidth), factor: 1 };
  const values = emitDecoder(emission, { ...options, headWidth, turns, activation: 'silu' }, inputs);
  const logits = emitDecoderHead(emission, options, values);
  const { text } = options.end;
  return {
    graph: reinitializeGraph(builder.freeze([logits]), seed),
    tokenizer,
    info: {
      schema: 'decant.model/2',
      task: taskReading('before'),
      labels: [],
      signature: textSignature(inputs, tokenPort(logits)),
      maxLength: options.maxLength,
      processor: { tokens: options.tokens },
      modelType: decoderModelType,
      checkpoint: configOf(options),
      tokenizerConfig: { bos_token: text, eos_token: text, pad_token: text, clean_up_tokenization_spaces: false },
      dimensions: { hidden, layers, heads, kvHeads, headWidth, ffn, vocabulary },
      origin: `random weights of seed ${seed}`,
    },
  };
};
