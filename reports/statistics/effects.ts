import { criticalValue, twoSidedP } from './distributions.ts';
import type { Interval } from './intervals.ts';

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
  /** Half-width added to every interval for what no repetition averages away. */
  readonly allowance: number;
}

/** The interval that misses the true difference with probability `alpha` at most. */
export const intervalOf = ({ estimate, centre, error, degrees, allowance }: Effect, alpha: number): Interval => {
  const half = criticalValue(alpha, degrees) * error + allowance;
  return { estimate, low: centre - half, high: centre + half };
};

/** Two-sided p of a difference no larger than `band` in either direction: its interval excludes the band where p < alpha. */
export const pOutside = ({ centre, error, degrees, allowance }: Effect, band: number): number => {
  const beyond = Math.abs(centre) - allowance - band;
  if (Number.isNaN(beyond) || beyond <= 0) return 1;
  return error === 0 ? 0 : twoSidedP(beyond / error, degrees);
};
