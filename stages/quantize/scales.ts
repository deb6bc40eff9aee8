/** Scales of the inputs of some products, and what these err by with them. */
export interface Scaled {
  /** How much of the unevenness of inputs goes over to the weights; 0 where nothing is scaled. */
  readonly alpha: number;
  readonly scales: Float32Array;
  readonly error: number;
}

/** size(x)^alpha / size(w)^(1 - alpha) for each input, of mean 1 in proportions; sizes below the smallest say nothing of an input. */
export const scalesOf = (
  inputs: Float32Array | Float64Array,
  weights: Float32Array | Float64Array,
  alpha: number,
  smallest: number,
): Float32Array => {
  const scales = Float32Array.from(
    inputs,
    (size, i) => Math.max(smallest, size) ** alpha / Math.max(smallest, weights[i] as number) ** (1 - alpha),
  );
  const middle = Math.exp(scales.reduce((sum, s) => sum + Math.log(s), 0) / scales.length);
  return scales.map((s) => s / middle);
};
