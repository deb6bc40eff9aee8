import { type Batch, dropTokens, type TokenMatrix, tokenMatrix, typeMatrix } from '../data/batches.ts';
import { stream } from '../data/random.ts';
import { isUnread, spreadRow } from '../data/rows.ts';
import type { EncodedText } from '../data/tokenize.ts';
import { type Value, value } from '../graph/graph.ts';
import type { ModelInfo } from '../models/model.ts';
import { type Answers, forEachAnswer } from './answers.ts';
import type { Feeds, HostTensor } from './engine.ts';
import { lossInputs, writeTarget } from './losses/index.ts';
import { taskOf } from './tasks/index.ts';
import type { LossWeights, TrainingExamples, TrainingOptions } from './training-options.ts';

/** What does not change from batch to batch. */
export interface FeedSource {
  readonly info: ModelInfo;
  readonly examples: TrainingExamples;
  /** Those about the examples. */
  readonly answers: Answers;
  readonly weights: LossWeights;
  readonly options: Pick<TrainingOptions, 'tokenDropout' | 'labelSmoothing'>;
  readonly seed: number;
  /** Inputs that the step has; others are not made. */
  readonly wanted: ReadonlySet<Value>;
}

/** Answers and kept tokens of a whole update: what its means are taken over. */
export interface UpdateSize {
  readonly answers: number;
  readonly tokens: number;
}

/** Words that were cut off have no answer, and no part in the mean. */
export const sizeOfUpdate = (batches: readonly Batch[], all: Answers): UpdateSize => {
  let answers = 0;
  let tokens = 0;
  for (const batch of batches) {
    forEachAnswer(all, batch, () => {
      answers++;
    });
    for (const row of batch.rows) tokens += all.texts[row]?.ids.length ?? 0;
  }
  return { answers, tokens };
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

/** A tensor with a row an answer, zeros elsewhere: (batch, width) or (batch, sequence, width). */
const answerRows = (
  { info, answers }: FeedSource,
  batch: Batch,
  width: number,
  write: (answer: number, row: Float32Array) => void,
): HostTensor => {
  const { rows, length } = batch;
  const perWord = taskOf(info.task).unit === 'words';
  const data = new Float32Array(rows.length * (perWord ? length : 1) * width);
  forEachAnswer(answers, batch, (answer, row) => write(answer, data.subarray(row * width, (row + 1) * width)));
  return { dtype: 'float32', dims: [rows.length, ...(perWord ? [length] : []), width], data };
};

const targetRows = (source: FeedSource, batch: Batch, { answers }: UpdateSize): HostTensor => {
  const { info, examples, weights, options } = source;
  return answerRows(source, batch, info.labels.length, (answer, row) => {
    const label = examples.labels[answer] ?? -1;
    if (label < 0) return;
    const weight = (weights.hard * (weights.classWeights?.[label] ?? 1)) / answers;
    writeTarget(row, label, { smoothing: options.labelSmoothing, weight });
  });
};

const teacherRows = (source: FeedSource, batch: Batch): HostTensor => {
  const { teacher } = source.examples;
  if (teacher === undefined) throw new Error('the teacher said nothing about the training texts');
  return answerRows(source, batch, teacher.width, (answer, row) => {
    if (!isUnread(teacher, answer)) spreadRow(teacher, answer, row);
  });
};

/**
 * What the hard label leaves to the teacher: all of it where there is no label, and nothing of words that the teacher did
 * not read, since its own tokenizer cut them off.
 */
const softWeights = (source: FeedSource, batch: Batch, { answers }: UpdateSize): HostTensor => {
  const { examples, weights } = source;
  const { teacher } = examples;
  const { dims, ...tensor } = answerRows(source, batch, 1, (answer, row) => {
    if (teacher !== undefined && isUnread(teacher, answer)) return;
    row[0] = ((examples.labels[answer] ?? -1) < 0 ? 1 : 1 - weights.hard) / answers;
  });
  return { ...tensor, dims: dims.slice(0, -1) };
};

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
  offer(lossInputs.targets, () => targetRows(source, batch, size));
  offer(lossInputs.teacher, () => teacherRows(source, batch));
  offer(lossInputs.softWeights, () => softWeights(source, batch, size));
  offer(lossInputs.tokenWeight, () => ({
    dtype: 'float32',
    dims: [],
    data: Float32Array.of(weights.hidden / size.tokens),
  }));
  return feeds;
};
