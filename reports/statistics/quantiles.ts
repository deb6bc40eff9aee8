/** Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). */
export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
};

/** Paired ratios, one a round: the way to compare two latencies on a machine that swings. */
export const ratios = (numerator: readonly number[], denominator: readonly number[]): readonly number[] =>
  numerator.map((x, i) => x / (denominator[i] ?? Number.NaN));
