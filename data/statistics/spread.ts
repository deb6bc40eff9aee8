import { mean } from './scored.ts';

/** How one figure varies over seeds. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation (over n - 1); null where fewer than two runs have the figure. */
  readonly deviation: number | null;
  readonly worst: number;
  /** The seed of the worst value, the first of equal ones. */
  readonly worstSeed: number;
  /** In the order of the seeds; null where a run has no such figure. */
  readonly values: readonly (number | null)[];
}

const deviationOf = (values: readonly number[], centre: number): number | null =>
  values.length < 2
    ? null
    : Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));

/** Mean, deviation and worst of one figure over seeds; null where no run has it. `worse` says which end is bad. */
export const spread = (
  seeds: readonly number[],
  values: readonly (number | null | undefined)[],
  worse: 'lower' | 'higher',
): Spread | null => {
  const known = values.map((value) => (value === undefined || !Number.isFinite(value) ? null : value));
  const found = known.filter((value) => value !== null);
  if (found.length === 0) return null;
  const centre = mean(found);
  const worst = worse === 'lower' ? Math.min(...found) : Math.max(...found);
  const worstSeed = seeds[known.indexOf(worst)] ?? 0;
  return { mean: centre, deviation: deviationOf(found, centre), worst, worstSeed, values: known };
};
