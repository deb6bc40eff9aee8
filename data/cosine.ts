/** Cosine between row `i` of one matrix and row `j` of another; 0 where one of them is zero. */
export const cosineOf = (a: Float32Array, i: number, b: Float32Array, j: number, width: number): number => {
  let [dot, x, y] = [0, 0, 0];
  for (let k = 0; k < width; k++) {
    const [p, q] = [a[i * width + k] as number, b[j * width + k] as number];
    dot += p * q;
    x += p * p;
    y += q * q;
  }
  return x === 0 || y === 0 ? 0 : dot / Math.sqrt(x * y);
};
