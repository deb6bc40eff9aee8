/** Eigenvalues in falling order, and as many unit vectors: row i of `vectors` belongs to value i. */
export interface Eigen {
  readonly values: Float64Array;
  /** (n, n), row-major. */
  readonly vectors: Float64Array;
}

/** A matrix T = W S W^T with numbers on and beside the diagonal alone, and W. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
  readonly vectors: Float64Array;
}

const at = (array: Float64Array, i: number): number => array[i] as number;

const dot = (a: Float64Array, b: Float64Array, from: number): number => {
  let sum = 0;
  for (let i = from; i < a.length; i++) sum += at(a, i) * at(b, i);
  return sum;
};

/** y = y + factor x, from an index on. */
const addScaled = (y: Float64Array, x: Float64Array, factor: number, from: number): void => {
  for (let i = from; i < y.length; i++) y[i] = at(y, i) + factor * at(x, i);
};

const rowsOf = (matrix: Float64Array, n: number): readonly Float64Array[] =>
  Array.from({ length: n }, (_, row) => matrix.subarray(row * n, (row + 1) * n));

const identity = (n: number): Float64Array => {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
};

/** v of the reflection I - 2 v v^T / v^T v that turns the column below the diagonal into a multiple of its first unit. */
const reflector = (column: Float64Array, from: number): Float64Array => {
  const v = new Float64Array(column.length);
  for (let i = from; i < v.length; i++) v[i] = at(column, i);
  const length = Math.sqrt(dot(v, v, from));
  v[from] = at(v, from) + (at(v, from) < 0 ? -length : length);
  return v;
};

/** S = H S H for the part of S from `from` on: a change of rank two (Golub and Van Loan, Matrix Computations, 8.3.1). */
const reflectBothSides = (s: readonly Float64Array[], v: Float64Array, beta: number, from: number): void => {
  const w = new Float64Array(v.length);
  for (let i = from; i < w.length; i++) w[i] = beta * dot(s[i] as Float64Array, v, from);
  addScaled(w, v, (-beta / 2) * dot(w, v, from), from);
  for (let i = from; i < w.length; i++) {
    addScaled(s[i] as Float64Array, v, -at(w, i), from);
    addScaled(s[i] as Float64Array, w, -at(v, i), from);
  }
};

/** W = H W. */
const reflectRows = (w: readonly Float64Array[], v: Float64Array, beta: number, from: number): void => {
  const sum = new Float64Array(v.length);
  for (let i = from; i < v.length; i++) addScaled(sum, w[i] as Float64Array, at(v, i), 0);
  for (let i = from; i < v.length; i++) addScaled(w[i] as Float64Array, sum, -beta * at(v, i), 0);
};

/** Householder's reduction of a symmetric matrix. */
const tridiagonal = (matrix: Float64Array, n: number): Tridiagonal => {
  const s = rowsOf(matrix.slice(), n);
  const vectors = identity(n);
  const w = rowsOf(vectors, n);
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(Math.max(0, n - 1));
  for (let k = 0; k < n; k++) {
    const row = s[k] as Float64Array;
    diagonal[k] = at(row, k);
    if (k === n - 1) break;
    const v = reflector(row, k + 1);
    const square = dot(v, v, k + 1);
    beside[k] = at(row, k + 1) - (square === 0 ? 0 : at(v, k + 1));
    if (square === 0) continue;
    reflectBothSides(s, v, 2 / square, k + 1);
    reflectRows(w, v, 2 / square, k + 1);
  }
  return { diagonal, beside, vectors };
};

/** Turns two rows: a = c a + s b, b = c b - s a. */
const rotate = (a: Float64Array, b: Float64Array, c: number, s: number): void => {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [at(a, i), at(b, i)];
    a[i] = c * x + s * y;
    b[i] = c * y - s * x;
  }
};

/** The eigenvalue of the last two by two numbers that is nearer to the last (Wilkinson's shift). */
const shiftAt = ({ diagonal: d, beside: e }: Tridiagonal, last: number): number => {
  const half = (at(d, last - 1) - at(d, last)) / 2;
  const beside = at(e, last - 1);
  const length = Math.hypot(half, beside);
  return at(d, last) - beside ** 2 / (half + (half < 0 ? -length : length));
};

/** One implicit QR step between two rows (Golub and Van Loan, 8.3.2). */
const step = (t: Tridiagonal, rows: readonly Float64Array[], first: number, last: number): void => {
  const { diagonal: d, beside: e } = t;
  let x = at(d, first) - shiftAt(t, last);
  let z = at(e, first);
  for (let k = first; k < last; k++) {
    const length = Math.hypot(x, z);
    const [c, s] = length === 0 ? [1, 0] : [x / length, z / length];
    if (k > first) e[k - 1] = length;
    const [a, b, q] = [at(d, k), at(e, k), at(d, k + 1)];
    d[k] = c * c * a + 2 * c * s * b + s * s * q;
    d[k + 1] = s * s * a - 2 * c * s * b + c * c * q;
    e[k] = c * s * (q - a) + (c * c - s * s) * b;
    if (k < last - 1) {
      x = at(e, k);
      z = s * at(e, k + 1);
      e[k + 1] = c * at(e, k + 1);
    }
    rotate(rows[k] as Float64Array, rows[k + 1] as Float64Array, c, s);
  }
};

/** Largest number of a tridiagonal matrix: what rounding is measured by. */
const scaleOf = ({ diagonal, beside }: Tridiagonal): number =>
  [...diagonal, ...beside].reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** Makes all numbers beside the diagonal vanish, from the end to the beginning. */
const diagonalise = (t: Tridiagonal, n: number): void => {
  const { beside: e } = t;
  const rows = rowsOf(t.vectors, n);
  const tiny = Number.EPSILON * scaleOf(t);
  for (let last = n - 1; last > 0; ) {
    let first = last;
    while (first > 0 && Math.abs(at(e, first - 1)) > tiny) first--;
    if (first === last) last--;
    else step(t, rows, first, last);
  }
};

/**
 * Eigenvalues and eigenvectors of a symmetric (n, n) matrix: Householder's reduction, then implicit QR steps. Vectors are
 * orthogonal, and values exact, to some rounding errors of the largest.
 */
export const symmetricEigen = (matrix: Float64Array, n: number): Eigen => {
  const t = tridiagonal(matrix, n);
  diagonalise(t, n);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => at(t.diagonal, b) - at(t.diagonal, a));
  const rows = rowsOf(t.vectors, n);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    vectors.set(rows[from] as Float64Array, to * n);
  });
  return { values: Float64Array.from(order, (i) => at(t.diagonal, i)), vectors };
};
