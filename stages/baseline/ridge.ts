import { setImmediate } from 'node:timers/promises';
import type { SparseRows } from './features.ts';

/** Texts as sparse rows with the number of each. */
export interface NumberedRows {
  readonly rows: SparseRows;
  readonly numbers: Float64Array;
}

/** A linear function of a row: weights and a constant. */
export interface LinearFunction {
  readonly weights: Float64Array;
  readonly constant: number;
}

export interface RidgeOptions {
  readonly features: number;
  /** Strength of the L2 penalty beside the sum of squares. */
  readonly penalty: number;
  readonly iterations: number;
  /** Where the search for weights begins. */
  readonly start: Float64Array;
  /** Called after every pass. */
  between(): void;
}

const at = (values: ArrayLike<number>, i: number): number => values[i] as number;

/** X w, a number a row. */
const product = ({ offsets, columns, values }: SparseRows, weights: Float64Array): Float64Array =>
  Float64Array.from({ length: offsets.length - 1 }, (_, row) => {
    let sum = 0;
    for (let i = at(offsets, row); i < at(offsets, row + 1); i++) sum += at(values, i) * at(weights, at(columns, i));
    return sum;
  });

/** X^T r, a number a column. */
const backProduct = ({ offsets, columns, values }: SparseRows, of: Float64Array, features: number): Float64Array => {
  const sums = new Float64Array(features);
  for (let row = 0; row < of.length; row++) {
    for (let i = at(offsets, row); i < at(offsets, row + 1); i++) {
      const column = at(columns, i);
      sums[column] = at(sums, column) + at(values, i) * at(of, row);
    }
  }
  return sums;
};

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * at(b, i), 0);
const meanOf = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
const centred = (values: Float64Array): Float64Array => {
  const mean = meanOf(values);
  return values.map((x) => x - mean);
};
/** a + factor b */
const plus = (a: Float64Array, factor: number, b: Float64Array): Float64Array => a.map((x, i) => x + factor * at(b, i));

/** Of the first residual: more digits than any correlation shows. */
const TOLERANCE = 1e-6;

/**
 * Ridge regression (Hoerl and Kennard 1970) by conjugate gradients on its normal equations (Hestenes and Stiefel 1952), the
 * constant left free of the penalty: (X^T C X + penalty I) w = X^T C y, where C takes the mean away.
 */
export const ridge = async ({ rows, numbers }: NumberedRows, options: RidgeOptions): Promise<LinearFunction> => {
  const { features, penalty, iterations, start, between } = options;
  const applied = (w: Float64Array): Float64Array =>
    plus(backProduct(rows, centred(product(rows, w)), features), penalty, w);
  let weights = start;
  let residual = plus(backProduct(rows, centred(numbers), features), -1, applied(weights));
  let direction = residual;
  let size = dot(residual, residual);
  const enough = TOLERANCE ** 2 * size;
  for (let i = 0; i < iterations && size > enough; i++) {
    const image = applied(direction);
    const step = size / dot(direction, image);
    weights = plus(weights, step, direction);
    residual = plus(residual, -step, image);
    const next = dot(residual, residual);
    direction = plus(residual, next / size, direction);
    size = next;
    between();
    await setImmediate();
  }
  return { weights, constant: meanOf(numbers) - meanOf(product(rows, weights)) };
};

/** What a linear function says of each row. */
export const valuesAt = (rows: SparseRows, { weights, constant }: LinearFunction): Float64Array =>
  product(rows, weights).map((x) => x + constant);
