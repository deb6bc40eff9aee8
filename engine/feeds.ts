import { type Batch, dropTokens, type TokenMatrix, tokenMatrix, typeMatrix } from '../data/batches.ts';
import { stream } from '../data/random.ts';
import type { EncodedText } from '../data/tokenize.ts';
import { type Value, value } from '../graph/graph.ts';
import type { ModelInfo } from '../models/model.ts';
import type { Feeds, HostTensor } from './engine.ts';
import { lossInputs, writeTarget } from './losses/index.ts';
import type { LossWeights, TrainingExamples, TrainingOptions } from './training-options.ts';

/** What does not change from batch to batch. */
export interface FeedSource {
  readonly info: ModelInfo;
  readonly examples: TrainingExamples;
  readonly weights: LossWeights;
  readonly options: Pick<TrainingOptions, 'tokenDropout' | 'labelSmoothing'>;
  readonly seed: number;
  /** Inputs that the step has; others are not made. */
  readonly wanted: ReadonlySet<Value>;
}

/** Texts and kept tokens of a whole update: what its means are taken over. */
export interface UpdateSize {
  readonly texts: number;
  readonly tokens: number;
}

export const sizeOfUpdate = (batches: readonly Batch[], { texts: all }: TrainingExamples): UpdateSize => {
  let texts = 0;
  let tokens = 0;
  for (const { rows } of batches) {
    texts += rows.length;
    for (const row of rows) tokens += all[row]?.ids.length ?? 0;
  }
  return { texts, tokens };
};

const typeTensor = (texts: readonly EncodedText[], batch: Batch): HostTensor => ({
  dtype: 'int64',
  dims: [batch.rows.length, batch.length],
  data: typeMatrix(texts, batch),
});

const tokenFeeds = (
  { inputs }: ModelInfo,
  { dims, ids, mask }: TokenMatrix,
  types: () => HostTensor,
): Record<string, HostTensor> => ({
  [inputs.ids]: { dtype: 'int64', dims, data: ids },
  [inputs.mask]: { dtype: 'int64', dims, data: mask },
  ...(inputs.types === undefined ? {} : { [inputs.types]: types() }),
});

/** A batch of texts as the model's inputs: ids, mask, and token types where the model has such an input. */
export const textFeeds = (info: ModelInfo, texts: readonly EncodedText[], batch: Batch): Feeds =>
  tokenFeeds(info, tokenMatrix(texts, batch, info.tokens.padding), () => typeTensor(texts, batch));

/** Texts of `length` tokens each, cut from given ones that are laid end to end, again and again. */
const recut = (texts: readonly EncodedText[], count: number, length: number): readonly EncodedText[] => {
  const ids = texts.flatMap((text) => [...text.ids]);
  const types = texts.flatMap((text) => [...(text.types ?? new Uint8Array(text.ids.length))]);
  return Array.from({ length: count }, (_, row) => ({
    ids: Int32Array.from({ length }, (_, i) => ids[(row * length + i) % ids.length] ?? 0),
    types: Uint8Array.from({ length }, (_, i) => types[(row * length + i) % types.length] ?? 0),
  }));
};

/** A full batch without padding: tokens of real texts, pairs with their types. */
export const filledFeeds = (
  info: ModelInfo,
  texts: readonly EncodedText[],
  { batch, length }: { readonly batch: number; readonly length: number },
): Feeds => {
  const rows = Int32Array.from({ length: batch }, (_, row) => row);
  return textFeeds(info, recut(texts, batch, length), { rows, length });
};

const targetRows = (source: FeedSource, { rows }: Batch, texts: number): HostTensor => {
  const { info, examples, weights, options } = source;
  const classes = info.labels.length;
  const data = new Float32Array(rows.length * classes);
  rows.forEach((row, i) => {
    const label = examples.labels[row] ?? -1;
    if (label < 0) return;
    const weight = (weights.hard * (weights.classWeights?.[label] ?? 1)) / texts;
    writeTarget(data.subarray(i * classes, (i + 1) * classes), label, { smoothing: options.labelSmoothing, weight });
  });
  return { dtype: 'float32', dims: [rows.length, classes], data };
};

const teacherRows = ({ info, examples }: FeedSource, { rows }: Batch): HostTensor => {
  const classes = info.labels.length;
  const data = new Float32Array(rows.length * classes);
  rows.forEach((row, i) => {
    const said = examples.teacherLogits?.subarray(row * classes, (row + 1) * classes);
    if (said?.length !== classes) throw new Error(`the teacher said nothing about training text ${row}`);
    data.set(said, i * classes);
  });
  return { dtype: 'float32', dims: [rows.length, classes], data };
};

/** What the hard label leaves to the teacher: all of it where there is no label. */
const softWeights = ({ examples, weights }: FeedSource, { rows }: Batch, texts: number): HostTensor => ({
  dtype: 'float32',
  dims: [rows.length],
  data: Float32Array.from(rows, (row) => ((examples.labels[row] ?? -1) < 0 ? 1 : 1 - weights.hard) / texts),
});

/** Everything a batch feeds besides weights and dropout masks. `turn` names the batch: (update, pass). */
export const batchFeeds = (
  source: FeedSource,
  batch: Batch,
  size: UpdateSize,
  turn: readonly [number, number],
): Feeds => {
  const { info, options, wanted, weights } = source;
  const { texts } = source.examples;
  const tokens = tokenMatrix(texts, batch, info.tokens.padding);
  const clean = tokens.ids.slice();
  if (options.tokenDropout > 0) {
    const random = stream(source.seed, 'token-dropout', ...turn);
    dropTokens(tokens, { rate: options.tokenDropout, unknown: info.tokens.unknown, random });
  }
  const feeds = tokenFeeds(info, tokens, () => typeTensor(texts, batch));
  const offer = (name: string, make: () => HostTensor): void => {
    if (wanted.has(value(name))) feeds[name] = make();
  };
  offer(lossInputs.cleanIds, () => ({ dtype: 'int64', dims: tokens.dims, data: clean }));
  offer(lossInputs.types, () => typeTensor(texts, batch));
  offer(lossInputs.targets, () => targetRows(source, batch, size.texts));
  offer(lossInputs.teacherLogits, () => teacherRows(source, batch));
  offer(lossInputs.softWeights, () => softWeights(source, batch, size.texts));
  offer(lossInputs.tokenWeight, () => ({
    dtype: 'float32',
    dims: [],
    data: Float32Array.of(weights.hidden / size.tokens),
  }));
  return feeds;
};
