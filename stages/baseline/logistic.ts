import { permutation, stream } from '../../data/random.ts';
import type { SparseRows } from './features.ts';

/** Texts as sparse rows with their classes. */
export interface LabelledRows {
  readonly rows: SparseRows;
  readonly labels: Int32Array;
}

export interface LogisticOptions {
  /** Strength of the L2 penalty. */
  readonly penalty: number;
  readonly epochs: number;
}

/** What a linear model says of one row: the scores of all classes, written into `into`. */
export type Scorer = (rows: SparseRows, row: number, into: Float64Array) => void;

/** Weights of a linear model that learns row by row. */
export interface LinearWeights {
  readonly score: Scorer;
  /** One step down the loss of a row: weights <- (1 - rate penalty) weights - rate (softmax(z) - q) x^T */
  learn(rows: SparseRows, row: number, label: number, how: Step): void;
}

export interface Step {
  /** From 1 down to 0. */
  readonly rate: number;
  readonly penalty: number;
}

/** Rows have length 1, so one rate suits every data set. */
export const LEARNING_RATE = 2;
export const BIAS_RATE = 0.2;

/** Far from 0: with few labels every text is separable, and smoothing takes over what early stopping would do. */
export const LABEL_SMOOTHING = 0.4;

/** Writes dL/d scores over the scores of a row, by its label. */
type ScoresToGradient = (scores: Float64Array, label: number) => void;

/** Weights are kept as scale * stored, so that decay is one multiplication a step instead of a pass over all. */
export class DenseWeights implements LinearWeights {
  readonly #classes: number;
  readonly #stored: Float32Array;
  readonly #bias: Float64Array;
  readonly #buffer: Float64Array;
  readonly #gradient: ScoresToGradient;
  #scale = 1;

  constructor(features: number, classes: number, gradient: ScoresToGradient = lossGradient) {
    this.#classes = classes;
    this.#gradient = gradient;
    this.#stored = new Float32Array(features * classes);
    this.#bias = new Float64Array(classes);
    this.#buffer = new Float64Array(classes);
  }

  score({ offsets, columns, values }: SparseRows, row: number, into: Float64Array): void {
    const classes = this.#classes;
    const stored = this.#stored;
    const end = offsets[row + 1] as number;
    into.fill(0);
    for (let at = offsets[row] as number; at < end; at++) {
      const base = (columns[at] as number) * classes;
      const value = values[at] as number;
      for (let c = 0; c < classes; c++) into[c] = (into[c] as number) + value * (stored[base + c] as number);
    }
    for (let c = 0; c < classes; c++) into[c] = (into[c] as number) * this.#scale + (this.#bias[c] as number);
  }

  learn(rows: SparseRows, row: number, label: number, { rate, penalty }: Step): void {
    this.score(rows, row, this.#buffer);
    this.#gradient(this.#buffer, label);
    this.#step(rows, row, { rate, penalty });
  }

  #step({ offsets, columns, values }: SparseRows, row: number, { rate, penalty }: Step): void {
    const gradient = this.#buffer;
    const classes = this.#classes;
    const stored = this.#stored;
    const end = offsets[row + 1] as number;
    this.#scale *= 1 - rate * LEARNING_RATE * penalty;
    for (let c = 0; c < classes; c++) {
      this.#bias[c] = (this.#bias[c] as number) - rate * BIAS_RATE * (gradient[c] as number);
    }
    for (let at = offsets[row] as number; at < end; at++) {
      const base = (columns[at] as number) * classes;
      const step = ((rate * LEARNING_RATE) / this.#scale) * (values[at] as number);
      for (let c = 0; c < classes; c++) {
        stored[base + c] = (stored[base + c] as number) - step * (gradient[c] as number);
      }
    }
  }
}

/** Scores to dL/d scores of the cross-entropy against smoothed labels: softmax(z) - q. */
const lossGradient = (scores: Float64Array, label: number): void => {
  let largest = Number.NEGATIVE_INFINITY;
  for (const score of scores) largest = Math.max(largest, score);
  let sum = 0;
  for (let c = 0; c < scores.length; c++) {
    const power = Math.exp((scores[c] as number) - largest);
    scores[c] = power;
    sum += power;
  }
  const smooth = LABEL_SMOOTHING / scores.length;
  for (let c = 0; c < scores.length; c++) scores[c] = (scores[c] as number) / sum - smooth;
  scores[label] = (scores[label] as number) - (1 - LABEL_SMOOTHING);
};

/**
 * L2-regularised multinomial logistic regression by stochastic gradient descent with a linearly falling rate (Bottou
 * 2012, "Stochastic gradient descent tricks"). `between` is awaited after every epoch.
 */
export const trainLogistic = async (
  { rows, labels }: LabelledRows,
  model: LinearWeights,
  { penalty, epochs }: LogisticOptions,
  between: () => Promise<void>,
): Promise<Scorer> => {
  const steps = epochs * labels.length;
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const row of permutation(labels.length, stream(0, 'baseline', epoch))) {
      model.learn(rows, row, labels[row] as number, { rate: 1 - step++ / steps, penalty });
    }
    await between();
  }
  return (scored, row, into) => model.score(scored, row, into);
};
