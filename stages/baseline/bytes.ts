/** Bytes of a weight (float32), a constant, or the number of a class or a term. */
export const BYTES_A_NUMBER = 4;

/** Bytes of weights for all terms and all outputs, and a constant an output. */
export const linearBytes = (features: number, outputs: number): number => BYTES_A_NUMBER * outputs * (features + 1);

/** Bytes of words or terms in UTF-8, each with one number. */
export const namedBytes = (names: Iterable<string>): number => {
  let sum = 0;
  for (const name of names) sum += Buffer.byteLength(name) + BYTES_A_NUMBER;
  return sum;
};
