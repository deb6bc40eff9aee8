import { BYTES_A_NUMBER } from './bytes.ts';
import type { SparseRows } from './features.ts';
import {
  BIAS_RATE,
  LABEL_SMOOTHING,
  type LabelledRows,
  LEARNING_RATE,
  type LinearWeights,
  type Scorer,
  type Step,
} from './logistic.ts';

/** Terms of more classes than this tell little of any of them, and cost the most. */
const MOST_CLASSES_A_TERM = 64;

/** The classes that each term occurred with in training. */
export interface Postings {
  /** Term i has entries offsets[i] to offsets[i + 1] - 1, none where it occurred with too many classes. */
  readonly offsets: Int32Array;
  readonly classes: Int32Array;
}

/** Pairs of term and class as one number each, sorted, every pair once. */
const pairsOf = ({ rows, labels }: LabelledRows, classes: number): Float64Array => {
  const { offsets, columns } = rows;
  const pairs = new Float64Array(columns.length);
  for (let row = 0; row < labels.length; row++) {
    for (let at = offsets[row] as number; at < (offsets[row + 1] as number); at++) {
      pairs[at] = (columns[at] as number) * classes + (labels[row] as number);
    }
  }
  pairs.sort();
  let kept = 0;
  for (const pair of pairs) if (kept === 0 || pair !== pairs[kept - 1]) pairs[kept++] = pair;
  return pairs.subarray(0, kept);
};

export const postingsOf = (training: LabelledRows, features: number, classes: number): Postings => {
  const pairs = pairsOf(training, classes);
  const counts = new Int32Array(features);
  const termOf = (pair: number): number => Math.floor(pair / classes);
  for (const pair of pairs) counts[termOf(pair)] = (counts[termOf(pair)] as number) + 1;
  const telling = pairs.filter((pair) => (counts[termOf(pair)] as number) <= MOST_CLASSES_A_TERM);
  const offsets = new Int32Array(features + 1);
  for (const pair of telling) offsets[termOf(pair) + 1] = (offsets[termOf(pair) + 1] as number) + 1;
  for (let term = 0; term < features; term++) {
    offsets[term + 1] = (offsets[term + 1] as number) + (offsets[term] as number);
  }
  return { offsets, classes: Int32Array.from(telling, (pair) => pair % classes) };
};

/** Bytes of a weight and its class for every pair, of where those of each term begin, and of a constant a class. */
export const sparseBytes = ({ offsets, classes: { length: pairs } }: Postings, classes: number): number =>
  BYTES_A_NUMBER * (2 * pairs + offsets.length - 1 + classes);

/** Multiply-adds of one pass over rows. */
export const costOf = ({ offsets }: Postings, { columns }: SparseRows): number =>
  columns.reduce((sum, term) => sum + (offsets[term + 1] as number) - (offsets[term] as number), 0);

/**
 * Weights for the pairs of term and class that training has: with thousands of classes nearly all others stay near zero, yet
 * would take all of the memory and time. A text is told among the classes that share a term with it.
 */
export class SparseWeights implements LinearWeights {
  readonly #postings: Postings;
  readonly #stored: Float32Array;
  readonly #bias: Float64Array;
  /** Of the classes that share a term with the row at hand; 0 for all others. */
  readonly #scores: Float64Array;
  readonly #touchedAt: Int32Array;
  #touched: number[] = [];
  #visit = 0;
  #scale = 1;

  constructor(postings: Postings, classes: number) {
    this.#postings = postings;
    this.#stored = new Float32Array(postings.classes.length);
    this.#bias = new Float64Array(classes);
    this.#scores = new Float64Array(classes);
    this.#touchedAt = new Int32Array(classes);
  }

  readonly score: Scorer = (rows, row, into) => {
    this.#visitRow(rows, row);
    into.set(this.#bias);
    for (const c of this.#touched) into[c] = this.#scores[c] as number;
  };

  learn(rows: SparseRows, row: number, label: number, { rate, penalty }: Step): void {
    this.#visitRow(rows, row);
    if (this.#touch(label)) this.#scores[label] = this.#bias[label] as number;
    this.#lossGradient(label);
    this.#scale *= 1 - rate * LEARNING_RATE * penalty;
    for (const c of this.#touched) {
      this.#bias[c] = (this.#bias[c] as number) - rate * BIAS_RATE * (this.#scores[c] as number);
    }
    const { classes } = this.#postings;
    this.#each(rows, row, (at, value) => {
      const step = ((rate * LEARNING_RATE) / this.#scale) * value;
      this.#stored[at] = (this.#stored[at] as number) - step * (this.#scores[classes[at] as number] as number);
    });
  }

  #visitRow(rows: SparseRows, row: number): void {
    const { classes } = this.#postings;
    const scores = this.#scores;
    this.#visit++;
    this.#touched = [];
    this.#each(rows, row, (at, value) => {
      const c = classes[at] as number;
      if (this.#touch(c)) scores[c] = 0;
      scores[c] = (scores[c] as number) + value * (this.#stored[at] as number);
    });
    for (const c of this.#touched) scores[c] = (scores[c] as number) * this.#scale + (this.#bias[c] as number);
  }

  /** softmax(z) - q over the classes that were touched. */
  #lossGradient(label: number): void {
    const scores = this.#scores;
    const peak = this.#touched.reduce((most, c) => Math.max(most, scores[c] as number), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (const c of this.#touched) {
      scores[c] = Math.exp((scores[c] as number) - peak);
      sum += scores[c] as number;
    }
    const smooth = LABEL_SMOOTHING / this.#touched.length;
    for (const c of this.#touched) scores[c] = (scores[c] as number) / sum - smooth;
    scores[label] = (scores[label] as number) - (1 - LABEL_SMOOTHING);
  }

  /** Whether a class is met for the first time in this row. */
  #touch(c: number): boolean {
    if (this.#touchedAt[c] === this.#visit) return false;
    this.#touchedAt[c] = this.#visit;
    this.#touched.push(c);
    return true;
  }

  /** Every pair that a row has, with the row's value for the term. */
  #each({ offsets, columns, values }: SparseRows, row: number, visit: (at: number, value: number) => void): void {
    for (let term = offsets[row] as number; term < (offsets[row + 1] as number); term++) {
      const column = columns[term] as number;
      const end = this.#postings.offsets[column + 1] as number;
      for (let at = this.#postings.offsets[column] as number; at < end; at++) visit(at, values[term] as number);
    }
  }
}
