import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { buildEncoder, type EncoderOptions } from '../../models/encoder.ts';
import type { Model, ModelInfo } from '../../models/model.ts';
import { answerName, expectInput, inputOf, type TextInputs, textPort, textSignature } from '../../models/signature.ts';

const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };

/** A tokenizer.json of words in the order of their ids, one of them unknown, and of tokens that are no words. */
export const tokenizerOfWords = (words: readonly string[], added: readonly object[] = []) => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: added.map((token) => ({ ...plain, ...token })),
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
});

/** Id 0 is unknown, id 1 pads. */
const words = ['[UNK]', '[PAD]', 'a', 'cat', 'dog', 'runs', 'sleeps', 'the', 'old', 'small'];
export const wordTokenizer = tokenizerOfWords(words);

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

/** The same with token types as a third input: the rows that they look up are added to the hidden state and the logits. */
export const withTypes = (model: Model): Model => {
  const { graph, info } = model;
  const builder = GraphBuilder.from(graph);
  const types = builder.input('token_type_ids', 'int64', graph.types.get(expectInput(info.signature, 'tokens'))?.shape);
  const looked = (name: string, width: number) => {
    const rows = Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i + 1));
    const table = builder.weight(`${name}.weight`, tensorOf('float32', [2, width], rows));
    return builder.op('Gather', [table, types]); // (batch, sequence, width)
  };
  const perToken = looked('token_type_logits', info.labels.length);
  const mean = builder.op('ReduceMean', [perToken, builder.ints([1])], { keepdims: 0 }); // (batch, classes)
  const logits = builder.op('Add', [answerName(info.signature), mean], {}, 'typed_logits');
  const states = hiddenStatesOf(model);
  const last = states.at(-1) ?? value('');
  const hidden = builder.op(
    'Add',
    [last, looked('token_type_hidden', info.dimensions.hidden ?? 0)],
    {},
    'typed_hidden',
  );
  return {
    ...model,
    graph: builder.freeze([logits, hidden]),
    info: {
      ...info,
      signature: textSignature({ ...textInputsOf(info), types }, textPort(logits)),
      hiddenStates: [...states.slice(0, -1), hidden],
    },
  };
};

/** The inputs of a text model by name. */
export const textInputsOf = ({ signature }: ModelInfo): TextInputs => {
  const types = inputOf(signature, 'segments');
  return {
    ...{ ids: expectInput(signature, 'tokens'), mask: expectInput(signature, 'mask') },
    ...(types === undefined ? {} : { types }),
  };
};

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
  const program = await cpuEngine.compile(graph, { threads: 1 });
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
