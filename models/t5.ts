import type { TokenizerJson } from '../data/tokenizer.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { modelError } from '../ground/errors.ts';
import { taskReading } from '../ground/tasks.ts';
import { bucketOf, distanceIds, distances, numbersOf } from './architectures/relative.ts';
import { type Emission, lookup, zeros } from './blocks.ts';
import { emitSeq2Seq, type Positions, type Seq2SeqNames, type Seq2SeqShape } from './emit-seq2seq.ts';
import type { Model, TokenRule } from './model.ts';
import { reinitializeGraph } from './reinitialize.ts';
import { answerSignature, writtenPort } from './signature.ts';

/** The model_type under which clients load encoder-decoders of this kind. */
const t5ModelType = 't5';

const attention = (place: string, name: string) => ({
  ...{
    query: `${place}.${name}.q`,
    key: `${place}.${name}.k`,
    value: `${place}.${name}.v`,
    mixed: `${place}.${name}.o`,
  },
  norm: `${place}.layer_norm`,
});

/** Names of parameters, as transformers has them. */
const t5Names = (gated: boolean): Seq2SeqNames => ({
  table: 'shared.weight',
  layer: (stack, index) => `${stack}.block.${index}`,
  self: attention('layer.0', 'SelfAttention'),
  cross: attention('layer.1', 'EncDecAttention'),
  neurons: (stack) => {
    const place = stack === 'encoder' ? 'layer.1' : 'layer.2';
    const dense = `${place}.DenseReluDense`;
    return {
      ...{ up: gated ? `${dense}.wi_1` : `${dense}.wi`, gate: `${dense}.wi_0`, down: `${dense}.wo` },
      norm: `${place}.layer_norm`,
    };
  },
  finalNorm: (stack) => `${stack}.final_layer_norm`,
});

interface RelativeShape {
  readonly buckets: number;
  readonly farthest: number;
  readonly heads: number;
  /** Longest source and answer. */
  readonly limit: number;
}

/** A number for each head by how far a key stands from its query, the same in every layer (Raffel et al. 2019, arXiv 1910.10683). */
const t5Positions = ({ buckets, farthest, heads, limit }: RelativeShape): Positions => ({
  scores: (emission, of) => {
    const { builder } = emission;
    const sided = of.stack === 'encoder';
    const idOf = (distance: number): number => bucketOf(distance, { buckets, farthest, sided });
    const ids = sided
      ? distanceIds(builder, of.ids, limit, idOf)
      : numbersOf(builder, distances(builder, of.queries, of.keys), limit, idOf);
    const name = `${of.stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
    const rows = lookup(emission, name, [buckets, heads], ids); // (queries, keys, heads)
    return builder.op('Unsqueeze', [builder.op('Transpose', [rows], { perm: [2, 0, 1] }), builder.ints([0])]);
  },
});

export interface T5Options {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly decoderLayers: number;
  readonly heads: number;
  readonly ffn: number;
  readonly tied: boolean;
  readonly dropout: number;
  /** Longest source and longest answer in tokens. */
  readonly maxLength: number;
  readonly tokens: Required<TokenRule>;
  /** The token that answers end with, and its id. */
  readonly end: { readonly id: number; readonly text: string };
}

const EPSILON = 1e-6;
const BUCKETS = 32;
const FARTHEST = 128;

/** config.json as transformers writes it for such a model. */
const configOf = (options: T5Options) => ({
  model_type: t5ModelType,
  architectures: ['T5ForConditionalGeneration'],
  is_encoder_decoder: true,
  d_model: options.hidden,
  d_kv: options.hidden / options.heads,
  d_ff: options.ffn,
  num_layers: options.layers,
  num_decoder_layers: options.decoderLayers,
  num_heads: options.heads,
  vocab_size: options.vocabulary,
  n_positions: options.maxLength,
  relative_attention_num_buckets: BUCKETS,
  relative_attention_max_distance: FARTHEST,
  feed_forward_proj: 'relu',
  layer_norm_epsilon: EPSILON,
  tie_word_embeddings: options.tied,
  decoder_start_token_id: options.tokens.start,
  eos_token_id: options.end.id,
  pad_token_id: options.tokens.padding,
});

const shapeOf = (options: T5Options): Seq2SeqShape => {
  const { vocabulary, hidden, heads, tied, dropout, maxLength, layers, decoderLayers, ffn } = options;
  return {
    ...{ vocabulary, hidden, tied, dropout, headWidth: hidden / heads, gated: false, activation: 'relu' },
    heads: { encoder: heads, decoder: heads },
    layers: { encoder: layers, decoder: decoderLayers },
    ffn: { encoder: ffn, decoder: ffn },
    ...{ norm: 'rms', order: 'pre', finalNorm: true, biased: false },
    // T5 draws small queries and large embeddings instead: the same at the start, whoever draws the weights.
    embeddingScale: Math.sqrt(hidden),
    headScale: 1,
    positions: t5Positions({ buckets: BUCKETS, farthest: FARTHEST, heads, limit: maxLength }),
    names: t5Names(false),
  };
};

/** An encoder-decoder of T5's kind with random weights. */
export const buildT5 = (options: T5Options, tokenizer: TokenizerJson, seed: number): Model => {
  const { hidden, layers, decoderLayers, heads, ffn, vocabulary } = options;
  if (hidden % heads !== 0) throw modelError(`${heads} heads do not divide a width of ${hidden}: choose heads that do`);
  const builder = new GraphBuilder(t5ModelType);
  const emission: Emission = { builder, parameters: zeros, prefix: '', epsilon: EPSILON };
  const { inputs, logits } = emitSeq2Seq(emission, shapeOf(options));
  const { text } = options.end;
  return {
    graph: reinitializeGraph(builder.freeze([logits]), seed),
    tokenizer,
    info: {
      schema: 'decant.model/2',
      task: taskReading('source'),
      labels: [],
      signature: answerSignature(inputs, writtenPort(logits)),
      maxLength: options.maxLength,
      processor: { tokens: options.tokens },
      modelType: t5ModelType,
      checkpoint: configOf(options),
      tokenizerConfig: { eos_token: text, pad_token: text, clean_up_tokenization_spaces: false },
      dimensions: { hidden, layers, decoderLayers, heads, headWidth: hidden / heads, ffn, vocabulary },
      origin: `random weights of seed ${seed}`,
    },
  };
};
