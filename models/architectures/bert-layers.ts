import { z } from 'zod';
import type { Value } from '../../graph/graph.ts';
import {
  activationNames,
  dropout,
  type Emission,
  layerNorm,
  lookup,
  maskBias,
  parameter,
  positionRows,
  textInputs,
  typesInput,
} from '../blocks.ts';
import type { BodyRatios } from '../dropout/ratios.ts';
import { emitLayers, type StackShape } from '../emit-encoder.ts';
import type { Encoded, Facts } from './architecture.ts';

/** Sizes in config.json: large enough for any checkpoint, small enough that a lie does not exhaust memory. */
export const size = z.int().min(1).max(10_000_000);
/** Positions: graphs hold numbers for all of them, whether or not a table of that length stands in the weights. */
export const positions = z.int().min(1).max(1_000_000);
export const ratio = z.number().min(0).lt(1);
export const activation = z.enum(activationNames);

/** Keys of config.json that BERT and its relatives share, with the defaults of BertConfig. */
export const bertConfig = z.object({
  vocab_size: size.default(30_522),
  hidden_size: size.default(768),
  num_hidden_layers: z.int().min(1).max(1000).default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  hidden_act: activation.default('gelu'),
  hidden_dropout_prob: ratio.default(0.1),
  attention_probs_dropout_prob: ratio.default(0.1),
  classifier_dropout: ratio.nullish(),
  max_position_embeddings: positions.default(512),
  type_vocab_size: z.int().min(0).max(1000).default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  pad_token_id: z.int().min(0).nullable().default(0),
  tie_word_embeddings: z.boolean().default(true),
  position_embedding_type: z.literal('absolute').default('absolute'),
  is_decoder: z.literal(false).default(false),
});
export type BertConfig = z.infer<typeof bertConfig>;

/** Every head has the same whole width. */
export const headsDivide = (
  { hidden_size, num_attention_heads }: { readonly hidden_size: number; readonly num_attention_heads: number },
  ctx: z.RefinementCtx,
): void => {
  if (hidden_size % num_attention_heads === 0) return;
  const message = `expected a divisor of hidden_size, which is ${hidden_size}; found ${num_attention_heads}`;
  ctx.addIssue({ code: 'custom', message, path: ['num_attention_heads'] });
};

export const bertFacts = (config: BertConfig): Facts => ({
  vocabulary: config.vocab_size,
  hidden: config.hidden_size,
  layers: config.num_hidden_layers,
  heads: config.num_attention_heads,
  ffn: config.intermediate_size,
  embedding: config.hidden_size,
  maxLength: config.max_position_embeddings,
  epsilon: config.layer_norm_eps,
  padding: config.pad_token_id,
});

/** Layers of BERT: normalisation after each residual sum. */
export const bertStack = (config: BertConfig): StackShape => {
  const { hidden_size: hidden, num_attention_heads: heads, intermediate_size: ffn } = config;
  return {
    embedding: hidden,
    hidden,
    layers: Array.from({ length: config.num_hidden_layers }, () => ({ heads, headWidth: hidden / heads, ffn })),
    norm: 'post',
    activation: config.hidden_act,
    finalNorm: false,
    dropout: config.hidden_dropout_prob,
    attentionDropout: config.attention_probs_dropout_prob,
  };
};

/** The graph's inputs, `types` only where the checkpoint tells several of them apart: RoBERTa's tokenizer gives none. */
export const bertInputs = ({ builder }: Emission, { type_vocab_size: types }: { readonly type_vocab_size: number }) => {
  const inputs = textInputs(builder);
  return types > 1 ? { ...inputs, types: typesInput(builder) } : inputs;
};

/** What every token has added for its type: a row of the table, the only row, or nothing. */
export const typeRows = (
  emission: Emission,
  { type_vocab_size: types }: { readonly type_vocab_size: number },
  ids: Value | undefined,
  width: number,
): Value | undefined => {
  const table = 'embeddings.token_type_embeddings.weight';
  if (ids !== undefined) return lookup(emission, table, [types, width], ids);
  return types === 1 ? parameter(emission, table, [types, width]) : undefined;
};

/** Words, types of tokens and positions summed, normalised: (batch, sequence, width). */
export const bertEmbeddings = (
  emission: Emission,
  config: BertConfig,
  { ids, types }: Encoded['inputs'],
  [width, positions]: readonly [number, (name: string) => Value],
): Value => {
  const { builder } = emission;
  const words = lookup(emission, 'embeddings.word_embeddings.weight', [config.vocab_size, width], ids);
  const rows = typeRows(emission, config, types, width);
  const typed = rows === undefined ? words : builder.op('Add', [words, rows]);
  const sum = builder.op('Add', [typed, positions('embeddings.position_embeddings.weight')]);
  const normal = layerNorm(emission, 'embeddings.LayerNorm', sum, width);
  return dropout(emission, normal, config.hidden_dropout_prob);
};

/** How a relative of BERT departs from it. */
export interface Departures {
  /** Width of the embeddings where it is another than that of the layers. */
  readonly width?: number;
  /** Rows of the position table of these dimensions; left out, one a place, from 0. */
  readonly positions?: (name: string, dims: readonly [number, number], ids: Value) => Value;
  /** From the width of the embeddings to that of the layers. */
  readonly widen?: (embedded: Value) => Value;
  readonly stack?: StackShape;
}

/** Embeddings and layers of BERT, or of a relative that departs from it. */
export const emitBert = (emission: Emission, config: BertConfig, departures: Departures = {}): Encoded => {
  const { builder } = emission;
  const inputs = bertInputs(emission, config);
  const bias = maskBias(builder, inputs.mask);
  const {
    width = config.hidden_size,
    positions = (name, dims, ids) => positionRows(emission, name, dims, ids),
    widen = (embedded) => embedded,
    stack = bertStack(config),
  } = departures;
  const rows = (name: string): Value => positions(name, [config.max_position_embeddings, width], inputs.ids);
  const x = builder.within('embeddings', () => widen(bertEmbeddings(emission, config, inputs, [width, rows])));
  const table = parameter(emission, 'embeddings.word_embeddings.weight', [config.vocab_size, width]);
  return { ...emitLayers(emission, stack, x, bias), inputs, table };
};

/** Shares of attention have a ratio of their own. */
export const bertDropout = ({
  hidden_dropout_prob: hidden,
  attention_probs_dropout_prob: attention,
}: Pick<BertConfig, 'hidden_dropout_prob' | 'attention_probs_dropout_prob'>): BodyRatios => ({
  ...{ embeddings: hidden, positions: hidden, attention, hidden, neurons: hidden },
});

/** Ratio of Dropout before the classifier. */
export const classifierDropout = (config: BertConfig): number =>
  config.classifier_dropout ?? config.hidden_dropout_prob;

/** Buffers of position and type ids, which older files hold. */
export const idBuffers: readonly RegExp[] = [/^embeddings\.(position_ids|token_type_ids)$/];
