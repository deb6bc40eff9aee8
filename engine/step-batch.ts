import type { Targets } from '../data/answer-targets.ts';
import type { Batch } from '../data/batches.ts';
import type { Rows } from '../data/rows.ts';
import type { InputRole } from '../models/signature.ts';
import { type Answers, askedIn, type Placed, placed } from './answers.ts';
import type { Encoded } from './encoded.ts';
import type { HostTensor } from './engine.ts';
import { type Fed, fedTo } from './feeds.ts';

/** Answers and kept positions of a whole update: what its means are taken over. */
export interface UpdateSize {
  readonly answers: number;
  readonly tokens: number;
}

/** Answers to places that were cut off have no part in the mean. */
export const sizeOfUpdate = (batches: readonly Batch[], all: Answers): UpdateSize => {
  let answers = 0;
  let tokens = 0;
  for (const batch of batches) {
    answers += askedIn(all, batch);
    for (const row of batch.rows) tokens += all.examples[row]?.length ?? 0;
  }
  return { answers, tokens };
};

/** Everything that losses may be fed of one batch. */
export interface StepBatch extends Placed {
  readonly batch: Batch;
  readonly size: UpdateSize;
  /** Share of all updates that are done. */
  readonly done: number;
  /** All examples, by the rows of batches. */
  readonly examples: readonly Encoded[];
  /** What is known of all answers, by their number. */
  readonly targets: Targets;
  /** What the teacher answered, by number, where there is one. */
  readonly teacher: Rows | undefined;
  /** How much each answer counts in the means, where that is not the same. */
  readonly counts?: Float32Array;
  /** The examples as an input of a role takes them, before any token was dropped. */
  given(role: InputRole): HostTensor;
}

/** What stays the same from batch to batch. */
export interface BatchSource {
  readonly model: Fed;
  readonly answers: Answers;
  readonly targets: Targets;
  readonly teacher?: Rows | undefined;
}

export const stepBatch = (source: BatchSource, batch: Batch, size: UpdateSize, done = 0): StepBatch => {
  const { model, answers, targets, teacher } = source;
  return {
    ...placed(answers, batch, model.signature),
    ...{ batch, size, done, examples: answers.examples, targets, teacher },
    given: (role) => fedTo(role, model.processor, answers.examples, batch),
  };
};

/** A tensor with a row of `width` numbers an answer where answers stand, zeros elsewhere. */
export const answerRows = (
  { numbers, rows, dims }: Placed,
  width: number,
  write: (answer: number, row: Float32Array, turn: number) => void,
): HostTensor => {
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1) * width);
  for (let i = 0; i < numbers.length; i++) {
    const row = rows[i] as number;
    write(numbers[i] as number, data.subarray(row * width, (row + 1) * width), i);
  }
  return { dtype: 'float32', dims: [...dims, width], data };
};

/** A number an answer, zeros elsewhere. */
export const answerNumbers = (
  { numbers, rows, dims }: Placed,
  number: (answer: number, turn: number) => number,
): HostTensor => {
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  for (let i = 0; i < numbers.length; i++) data[rows[i] as number] = number(numbers[i] as number, i);
  return { dtype: 'float32', dims, data };
};

/** What each answer counts in a mean, zeros elsewhere. */
export const answerWeights = (batch: StepBatch, weight: (answer: number) => number): HostTensor =>
  answerNumbers(batch, (answer, turn) => (batch.counts?.[turn] ?? 1) * weight(answer));

/** An id an answer as int64, zeros elsewhere. */
export const answerIds = ({ numbers, rows, dims }: Placed, id: (answer: number) => number): HostTensor => {
  const data = new BigInt64Array(dims.reduce((a, b) => a * b, 1));
  const words = new Int32Array(data.buffer);
  for (let i = 0; i < numbers.length; i++) words[2 * (rows[i] as number)] = Math.max(0, id(numbers[i] as number));
  return { dtype: 'int64', dims, data };
};
