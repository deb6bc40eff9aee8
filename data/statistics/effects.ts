import { criticalValue, twoSidedP } from './distributions.ts';
import type { Bounds, Interval } from './intervals.ts';

/**
 * A difference between two models as far as it is known, on a scale where none is 0: points of accuracy, or the logarithm
 * of a ratio. Intervals and tests of any level are made from it.
 */
export interface Effect {
  /** What is shown. */
  readonly estimate: number;
  /** Middle of the interval: near the estimate, not always equal to it. */
  readonly centre: number;
  readonly error: number;
  /** Of Student's t; infinite for the normal distribution. */
  readonly degrees: number;
  /** Where another estimate of the same difference lies; null for none. Intervals hold it, too: where they disagree, nothing is clear. */
  readonly also: Bounds | null;
}

/** The interval that misses the true difference with probability `alpha` at most. */
export const intervalOf = ({ estimate, centre, error, degrees, also }: Effect, alpha: number): Interval => {
  const half = criticalValue(alpha, degrees) * error;
  const [low, high] = [centre - half, centre + half];
  return { estimate, low: Math.min(low, also?.low ?? low), high: Math.max(high, also?.high ?? high) };
};

/** Two-sided p of a difference no larger than `band` in either direction: its interval excludes the band where p < alpha. */
export const pOutside = ({ centre, error, degrees, also }: Effect, band: number): number => {
  const beyond = Math.abs(centre) - band;
  const agreed = also === null || (centre > 0 ? also.low > band : also.high < -band);
  if (!(beyond > 0 && agreed)) return 1;
  return error === 0 ? 0 : twoSidedP(beyond / error, degrees);
};
