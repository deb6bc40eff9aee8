/** Inputs in their own order. */
export const inOrder = (width: number): Int32Array => Int32Array.from({ length: width }, (_, i) => i);

/** In another order, and with a share of the mean of the diagonal added to it: inputs that were never seen count a little. */
export const damped = (products: Float64Array, width: number, order: Int32Array, share: number): Float64Array => {
  const h = new Float64Array(width * width);
  let trace = 0;
  for (let i = 0; i < width; i++) trace += products[i * width + i] as number;
  const added = (share * trace) / width || 1;
  for (let i = 0; i < width; i++) {
    const from = (order[i] as number) * width;
    for (let j = 0; j < width; j++) h[i * width + j] = products[from + (order[j] as number)] as number;
    h[i * width + i] = (h[i * width + i] as number) + added;
  }
  return h;
};

/**
 * U with U'U = H^-1, upper triangular, for a symmetric positive definite H of n x n (row by row): the inverse of the upper
 * triangular M with M M' = H. Undefined where H is not positive definite.
 */
export const inverseFactor = (h: Float64Array, n: number): Float64Array | undefined => {
  // M by columns from the last: M[i][j] = (H[i][j] - sum over k > j of M[i][k] M[j][k]) / M[j][j].
  const m = new Float64Array(n * n);
  for (let j = n - 1; j >= 0; j--) {
    const rowJ = m.subarray(j * n, j * n + n);
    let pivot = h[j * n + j] as number;
    for (let k = j + 1; k < n; k++) pivot -= (rowJ[k] as number) ** 2;
    if (!(pivot > 0)) return undefined;
    const root = Math.sqrt(pivot);
    rowJ[j] = root;
    for (let i = 0; i < j; i++) {
      const rowI = m.subarray(i * n, i * n + n);
      let sum = h[i * n + j] as number;
      for (let k = j + 1; k < n; k++) sum -= (rowI[k] as number) * (rowJ[k] as number);
      rowI[j] = sum / root;
    }
  }
  return inverseOfUpper(m, n);
};

/** The inverse of an upper triangular matrix, row by row from the last. */
const inverseOfUpper = (m: Float64Array, n: number): Float64Array => {
  const u = new Float64Array(n * n);
  for (let i = n - 1; i >= 0; i--) {
    const row = u.subarray(i * n, i * n + n);
    const diagonal = 1 / (m[i * n + i] as number);
    row[i] = diagonal;
    for (let k = i + 1; k < n; k++) {
      const factor = -(m[i * n + k] as number) * diagonal;
      if (factor === 0) continue;
      const below = u.subarray(k * n, k * n + n);
      for (let j = k; j < n; j++) row[j] = (row[j] as number) + factor * (below[j] as number);
    }
  }
  return u;
};
