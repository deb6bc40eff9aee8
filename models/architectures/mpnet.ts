import { z } from 'zod';
import type { Value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { type Emission, maskBias, parameter, textInputs } from '../blocks.ts';
import { type Compared, emitLayers, type LayerNames } from '../emit-encoder.ts';
import { defineArchitecture } from './architecture.ts';
import {
  bertConfig,
  bertDropout,
  bertEmbeddings,
  bertFacts,
  bertStack,
  headsDivide,
  idBuffers,
} from './bert-layers.ts';
import { denseHead, lmHead, tokenHead } from './heads.ts';
import { paddedPositions } from './positions.ts';
import { distanceIds, sidedBucket } from './relative.ts';

/** transformers fixes these, whatever config.json says: the id of padding, and the buckets that distances fall into. */
const PADDING = 1;
const BUCKETS = 32;

const config = bertConfig
  .extend({
    vocab_size: bertConfig.shape.vocab_size.default(30_527),
    relative_attention_num_buckets: z.int().min(BUCKETS).max(100_000).default(BUCKETS),
    pad_token_id: bertConfig.shape.pad_token_id.default(PADDING),
  })
  // It has none, whatever a config.json that was made of BERT's says.
  .transform((config) => ({ ...config, type_vocab_size: 0 }))
  .superRefine(headsDivide);
type Config = z.infer<typeof config>;

const names: LayerNames = {
  layer: (index) => `encoder.layer.${index}`,
  query: 'attention.attn.q',
  key: 'attention.attn.k',
  value: 'attention.attn.v',
  mixed: 'attention.attn.o',
  attentionNorm: 'attention.LayerNorm',
  up: 'intermediate.dense',
  down: 'output.dense',
  outputNorm: 'output.LayerNorm',
};

/** The position behind the last one that the table has. */
const limitOf = (config: Config): number => config.max_position_embeddings - PADDING - 1;

/** Scores of relative positions, one table for all layers: (heads, sequence, sequence). */
const relativeScores = (emission: Emission, ids: Value, config: Config): Value => {
  const { builder } = emission;
  const table = parameter(emission, 'encoder.relative_attention_bias.weight', [
    config.relative_attention_num_buckets,
    config.num_attention_heads,
  ]);
  const rows = builder.op('Gather', [table, distanceIds(builder, ids, limitOf(config), sidedBucket)]);
  return builder.op('Transpose', [rows], { perm: [2, 0, 1] });
};

/**
 * Each layer picks its heads of the shared scores by number. So the heads of one layer can be cut without those of the
 * others: what shrinks is the list. (batch, heads, sequence, sequence)
 */
const headScores = (emission: Emission, scores: Value, mask: Value, { layer, heads }: Compared): Value => {
  const { builder } = emission;
  const numbers = tensorOf(
    'int64',
    [1, heads],
    BigInt64Array.from({ length: heads }, (_, i) => BigInt(i)),
  );
  const list = builder.weight(`${emission.prefix}${layer}.attention.attn.heads`, numbers);
  return builder.op('Add', [builder.op('Gather', [scores, list]), mask]);
};

/** MPNet (Song et al. 2020, arXiv 2004.09297): BERT with relative positions that all layers share. */
export const mpnet = defineArchitecture({
  modelTypes: ['mpnet'],
  config,
  prefix: 'mpnet',
  facts: (config) => ({ ...bertFacts(config), maxLength: limitOf(config) }),
  emit: (emission, config) => {
    const { builder } = emission;
    const inputs = textInputs(builder);
    const { vocab_size: vocabulary, hidden_size: width, max_position_embeddings: limit } = config;
    const mask = maskBias(builder, inputs.mask);
    const positions = (name: string) => paddedPositions(emission, name, [limit, width], inputs.ids, PADDING);
    const x = builder.within('embeddings', () => bertEmbeddings(emission, config, inputs, [width, positions]));
    const scores = builder.within('encoder', () => relativeScores(emission, inputs.ids, config));
    const stack = { ...bertStack(config), names };
    const layers = emitLayers(emission, stack, x, (compared) => headScores(emission, scores, mask, compared));
    return { ...layers, inputs, table: parameter(emission, 'embeddings.word_embeddings.weight', [vocabulary, width]) };
  },
  dropout: bertDropout,
  heads: {
    text: denseHead('tanh', (config: Config) => config.hidden_dropout_prob),
    word: tokenHead((config: Config) => config.hidden_dropout_prob),
    token: lmHead,
  },
  ignored: [...idBuffers, /^pooler\.dense\.(weight|bias)$/, /^lm_head\./],
});
