/** A mean with the standard error that the choice of the groups gives it. */
export interface GroupedMean {
  readonly mean: number;
  readonly error: number;
  /** Of Student's t: groups less one. */
  readonly degrees: number;
}

interface Totals {
  readonly sums: Float64Array;
  readonly sizes: Float64Array;
}

/** Groups numbered from 0 in the order in which they come: the number of each example's, and how many there are. */
export const numbered = (groups: ArrayLike<number>): { readonly own: Int32Array; readonly count: number } => {
  const numbers = new Map<number, number>();
  const own = Int32Array.from(groups, (group) => {
    const number = numbers.get(group) ?? numbers.size;
    numbers.set(group, number);
    return number;
  });
  return { own, count: numbers.size };
};

const totalsOf = (values: ArrayLike<number>, groups: ArrayLike<number>): Totals => {
  const { own, count } = numbered(groups);
  const [sums, sizes] = [new Float64Array(count), new Float64Array(count)];
  own.forEach((group, i) => {
    sums[group] = (sums[group] ?? 0) + (values[i] ?? 0);
    sizes[group] = (sizes[group] ?? 0) + 1;
  });
  return { sums, sizes };
};

/**
 * Mean of values that come in groups (words in sentences), where groups are what was drawn at random: the ratio estimator
 * of cluster sampling, R = Σ y_g / Σ n_g, with the linearised error √(k / (k - 1) Σ (y_g - R n_g)²) / Σ n_g (Cochran 1977,
 * Sampling Techniques, 9A; what a bootstrap over groups converges to). Of fewer than two groups nothing is known.
 */
export const groupedMean = (values: ArrayLike<number>, groups: ArrayLike<number>): GroupedMean => {
  const { sums, sizes } = totalsOf(values, groups);
  const k = sums.length;
  const n = sizes.reduce((a, b) => a + b, 0);
  const mean = sums.reduce((a, b) => a + b, 0) / n;
  const scatter = sums.reduce((total, sum, g) => total + (sum - mean * (sizes[g] ?? 0)) ** 2, 0);
  const error = k < 2 ? Number.POSITIVE_INFINITY : Math.sqrt((k / (k - 1)) * scatter) / n;
  return { mean, error, degrees: Math.max(1, k - 1) };
};

/**
 * How many independent examples would say as much about a rate: their number over the design effect (Kish 1965), the
 * variance between groups over that of independent examples. Where all are right or all wrong, as many as there are groups.
 */
export const effectiveExamples = (right: Uint8Array, groups: Int32Array | undefined): number => {
  const n = right.length;
  if (groups === undefined || n === 0) return n;
  const { mean, error } = groupedMean(right, groups);
  const independent = (mean * (1 - mean)) / n;
  return error > 0 && Number.isFinite(error) ? Math.min(n, (n * independent) / error ** 2) : new Set(groups).size;
};
