import type { HostTensor } from '../../engine/engine.ts';
import { ortEngine } from '../../engine/onnxruntime.ts';
import type { Graph } from '../../graph/graph.ts';
import { buildEncoder, type EncoderOptions } from '../../models/encoder.ts';
import type { Model } from '../../models/model.ts';

/** A word-level tokenizer.json of a few words; id 0 is unknown, id 1 pads. */
const words = ['[UNK]', '[PAD]', 'a', 'cat', 'dog', 'runs', 'sleeps', 'the', 'old', 'small'];
export const wordTokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: null,
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
};

export const smallOptions: EncoderOptions = {
  vocabulary: words.length,
  hidden: 16,
  layers: 2,
  heads: 4,
  ffn: 24,
  maxLength: 12,
  norm: 'pre',
  activation: 'gelu',
  pooling: 'mean',
  labels: ['animal', 'motion', 'rest'],
  dropout: 0.1,
  tokens: { padding: 1, unknown: 0 },
};

export const smallEncoder = (options: Partial<EncoderOptions> = {}, seed = 1): Model =>
  buildEncoder({ ...smallOptions, ...options }, wordTokenizer, seed);

/** Rows of ids as one batch, padded to the longest row or to `length`. */
export const batchOf = (
  rows: readonly (readonly number[])[],
  length = Math.max(...rows.map((row) => row.length)),
): Readonly<Record<string, HostTensor>> => {
  const dims = [rows.length, length];
  const ids = new BigInt64Array(rows.length * length).fill(1n);
  const mask = new BigInt64Array(rows.length * length);
  rows.forEach((row, r) => {
    ids.set(BigInt64Array.from(row, BigInt), r * length);
    mask.fill(1n, r * length, r * length + row.length);
  });
  return {
    input_ids: { dtype: 'int64', dims, data: ids },
    attention_mask: { dtype: 'int64', dims, data: mask },
  };
};

/** The graph's outputs for some feeds, as plain numbers. */
export const outputsOf = async (
  graph: Graph,
  feeds: readonly Readonly<Record<string, HostTensor>>[],
): Promise<readonly (readonly number[])[]> => {
  const program = await ortEngine.compile(graph, { threads: 1 });
  try {
    const results: number[][] = [];
    for (const feed of feeds) {
      const outputs = await program.run(feed);
      results.push(graph.outputs.flatMap((name) => Array.from(outputs[name]?.data ?? [], Number)));
    }
    return results;
  } finally {
    await program.release();
  }
};

export const largestDifference = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length
    ? Math.max(0, ...a.map((x, i) => Math.abs(x - (b[i] ?? Number.NaN))))
    : Number.POSITIVE_INFINITY;
