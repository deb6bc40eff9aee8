import type { Bounds } from './intervals.ts';

/** Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). */
export const quantile = (values: ArrayLike<number>, q: number): number => {
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
};

/** Paired ratios, one a round: the way to compare two latencies on a machine that swings. */
export const ratios = (numerator: readonly number[], denominator: readonly number[]): readonly number[] =>
  numerator.map((x, i) => x / (denominator[i] ?? Number.NaN));

/**
 * 95 % interval of the median from order statistics, whatever the distribution: the widest pair of ranks outside of which
 * a fair coin thrown n times falls in at most 2.5 % on each side. Fewer than six values bound nothing: the extremes.
 */
export const medianInterval = (values: readonly number[]): Bounds => {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  let below = 0;
  let tail = 0.5 ** n;
  for (let probability = tail; tail <= 0.025 && below < n / 2; below++) {
    probability *= (n - below) / (below + 1);
    tail += probability;
  }
  const rank = Math.max(0, below - 1);
  return { low: sorted[rank] ?? Number.NaN, high: sorted[n - 1 - rank] ?? Number.NaN };
};
