import { type Plane, placeIn } from '../plane.ts';

/** Inputs of one output that make up for each other. */
export const SIZE = 8;

/** Products of two numbers of a group, each pair once. */
export const MOMENTS = (SIZE * (SIZE + 1)) / 2;

/**
 * Calls for each group of a plane, numbers that stand side by side in a row, in the order in which they are stored: with the place of
 * the first, how far apart they are, and how many (the last of a row may be fewer).
 */
export const forEachGroup = (
  plane: Plane,
  see: (index: number, base: number, stride: number, size: number) => void,
): void => {
  const { rows, width, turned } = plane;
  const across = Math.ceil(width / SIZE);
  const stride = turned ? rows : 1;
  for (let index = 0; index < rows * across; index++) {
    const row = turned ? index % rows : Math.floor(index / across);
    const first = (turned ? Math.floor(index / rows) : index % across) * SIZE;
    see(index, placeIn(plane, row, first), stride, Math.min(SIZE, width - first));
  }
};

/** The lower half of a symmetric, positive definite matrix of a group at most, row by row, and what is made of it: used again for each. */
export class SmallMatrix {
  readonly data = new Float64Array(SIZE * SIZE);
  readonly #factor = new Float64Array(SIZE * SIZE);
  readonly #column = new Float64Array(SIZE);
  size = SIZE;

  /** L of L L' (Cholesky). */
  #factorise(): Float64Array {
    const { data, size } = this;
    const l = this.#factor;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = data[i * size + j] as number;
        for (let k = 0; k < j; k++) sum -= (l[i * size + k] as number) * (l[j * size + k] as number);
        l[i * size + j] = i === j ? Math.sqrt(Math.max(sum, Number.MIN_VALUE)) : sum / (l[j * size + j] as number);
      }
    }
    return l;
  }

  /** Diagonal of the inverse: sums of squares of the columns of L^-1. */
  inverseDiagonal(into: Float64Array): void {
    const { size } = this;
    const l = this.#factorise();
    const y = this.#column;
    for (let i = 0; i < size; i++) {
      let squares = 0;
      for (let k = i; k < size; k++) {
        let sum = k === i ? 1 : 0;
        for (let j = i; j < k; j++) sum -= (l[k * size + j] as number) * (y[j] as number);
        const own = sum / (l[k * size + k] as number);
        y[k] = own;
        squares += own * own;
      }
      into[i] = squares;
    }
  }

  /** Puts what the matrix has to be multiplied by to give x in the place of x. */
  solve(x: Float64Array): void {
    const { size } = this;
    const l = this.#factorise();
    for (let i = 0; i < size; i++) {
      let sum = x[i] as number;
      for (let k = 0; k < i; k++) sum -= (l[i * size + k] as number) * (x[k] as number);
      x[i] = sum / (l[i * size + i] as number);
    }
    for (let i = size - 1; i >= 0; i--) {
      let sum = x[i] as number;
      for (let k = i + 1; k < size; k++) sum -= (l[k * size + i] as number) * (x[k] as number);
      x[i] = sum / (l[i * size + i] as number);
    }
  }
}
