import { type Plane, placeIn } from '../plane.ts';

/** Inputs of one output that make up for each other. */
export const SIZE = 8;

/** Products of two numbers of a group, each pair once. */
export const MOMENTS = (SIZE * (SIZE + 1)) / 2;

/** Numbers of a weight that stand side by side in a row; the last of a row may be fewer. */
export interface Group {
  readonly index: number;
  /** Where the first stands, and how far apart they are. */
  readonly base: number;
  readonly stride: number;
  readonly size: number;
}

/** Calls for each group of a plane, in the order in which its numbers are stored. */
export const forEachGroup = (plane: Plane, see: (group: Group) => void): void => {
  const { rows, width, turned } = plane;
  const across = Math.ceil(width / SIZE);
  const stride = turned ? rows : 1;
  for (let index = 0; index < rows * across; index++) {
    const [row, group] = turned
      ? [index % rows, Math.floor(index / rows)]
      : [Math.floor(index / across), index % across];
    const first = group * SIZE;
    see({ index, base: placeIn(plane, row, first), stride, size: Math.min(SIZE, width - first) });
  }
};

/** x with f x = right, f symmetric and positive definite: by its factor L L' (Cholesky). */
export const solved = (f: Float64Array, right: Float64Array): Float64Array => {
  const { length: n } = right;
  const [l, x] = [new Float64Array(n * n), right.slice()];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = f[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (l[i * n + k] as number) * (l[j * n + k] as number);
      l[i * n + j] = i === j ? Math.sqrt(Math.max(sum, Number.MIN_VALUE)) : sum / (l[j * n + j] as number);
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] = (x[i] as number) - (l[i * n + k] as number) * (x[k] as number);
    x[i] = (x[i] as number) / (l[i * n + i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] = (x[i] as number) - (l[k * n + i] as number) * (x[k] as number);
    x[i] = (x[i] as number) / (l[i * n + i] as number);
  }
  return x;
};
