import { criticalValue } from './distributions.ts';
import type { Bounds, Interval } from './intervals.ts';
import { quantile } from './quantiles.ts';
import { mean } from './scored.ts';

/** Intervals of reports hold the true figure in 95 of 100 measurements. */
const ALPHA = 0.05;

/**
 * A ratio from several clusters (processes) of paired ratios (rounds), with its 95 % interval. What differs from process
 * to process (addresses, what else the machine did) moves all rounds of one alike, so the processes are the sample: the
 * logarithm of each one's median, their mean, and Student's t interval around it (Student 1908; Kalibera and Jones 2013
 * for times of repeated executions). Null where fewer than two processes have a ratio that is a number above 0.
 */
export const clusterRatio = (clusters: readonly (readonly number[])[]): Interval | null => {
  const logs = clusters.flatMap((ratios) => {
    const usable = ratios.filter((ratio) => ratio > 0 && Number.isFinite(ratio));
    return usable.length === 0 ? [] : [Math.log(quantile(usable, 0.5))];
  });
  if (logs.length < 2) return null;
  const centre = mean(logs);
  const variance = logs.reduce((sum, log) => sum + (log - centre) ** 2, 0) / (logs.length - 1);
  const half = criticalValue(ALPHA, logs.length - 1) * Math.sqrt(variance / logs.length);
  return { estimate: Math.exp(centre), low: Math.exp(centre - half), high: Math.exp(centre + half) };
};

/**
 * 95 % interval of a quantile of all values, after Woodruff (1952, J. Am. Stat. Assoc. 47): the share of values up to the
 * quantile has a standard error between clusters (at least the one of independent values), with Student's t; the bounds
 * are the quantiles at the ends of that share's interval. No distribution is assumed. A bound whose share falls outside 0
 * to 1 is the extreme value: a high quantile of few values is only bounded from below.
 */
export const clusterQuantile = (clusters: readonly (readonly number[])[], q: number): Bounds => {
  const all = clusters.flat();
  const at = quantile(all, q);
  const below = clusters.map((values) => values.filter((value) => value <= at).length);
  const share = below.reduce((sum, count) => sum + count, 0) / all.length;
  const scatter = clusters.reduce((sum, values, c) => sum + ((below[c] ?? 0) - share * values.length) ** 2, 0);
  const k = clusters.length;
  if (k < 2) return { low: quantile(all, 0), high: quantile(all, 1) };
  const between = (k / (k - 1)) * (scatter / all.length ** 2);
  const half = criticalValue(ALPHA, k - 1) * Math.sqrt(Math.max(between, (q * (1 - q)) / all.length));
  return { low: quantile(all, Math.max(0, q - half)), high: quantile(all, Math.min(1, q + half)) };
};
