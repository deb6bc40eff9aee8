/** A figure with its 95 % interval. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

export type Bounds = Pick<Interval, 'low' | 'high'>;

/** z of a two-sided 95 % interval. */
export const Z95 = 1.959963984540054;

/**
 * Wilson's score interval for a proportion (Wilson 1927, J. Am. Stat. Assoc. 22): close to its nominal coverage also for
 * few examples and proportions near 0 and 1. Of no examples nothing is known: 0 to 1.
 */
export const wilson = (successes: number, n: number, z = Z95): Bounds => {
  if (n === 0) return { low: 0, high: 1 };
  const p = successes / n;
  const z2 = z ** 2 / n;
  const centre = p + z2 / 2;
  const half = z * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n));
  return { low: Math.max(0, (centre - half) / (1 + z2)), high: Math.min(1, (centre + half) / (1 + z2)) };
};
