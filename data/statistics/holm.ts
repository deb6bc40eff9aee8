/** What a comparison is tested at, and whether it is rejected. */
export interface HolmStep {
  /** Two-sided level of this comparison's interval: the interval excludes the null exactly where it is rejected. */
  readonly alpha: number;
  readonly rejected: boolean;
}

/**
 * Holm's step-down correction (Holm 1979, Scand. J. Stat. 6): the smallest p of m is held against alpha / m, the next
 * against alpha / (m - 1), until one is not rejected; nothing after it is. The chance of any false alarm stays below alpha
 * however the comparisons depend on each other.
 */
export const holm = (ps: readonly number[], alpha: number): readonly HolmStep[] => {
  const order = [...ps.keys()].sort((i, j) => (ps[i] ?? 1) - (ps[j] ?? 1));
  const failed = order.findIndex((i, k) => !((ps[i] ?? 1) <= alpha / (ps.length - k)));
  const stop = failed === -1 ? ps.length : failed;
  const steps = new Map(
    order.map((i, k) => [i, { alpha: alpha / (ps.length - Math.min(k, stop)), rejected: k < stop }] as const),
  );
  return ps.map((_, i) => steps.get(i) ?? { alpha, rejected: false });
};

/** The level from which on Holm's correction rejects each comparison: (m - k) p, and no less than those of smaller p. */
export const holmAdjusted = (ps: readonly number[]): readonly number[] => {
  const order = [...ps.keys()].sort((i, j) => (ps[i] ?? 1) - (ps[j] ?? 1));
  let least = 0;
  const adjusted = new Map(
    order.map((i, k) => {
      least = Math.min(1, Math.max(least, (ps.length - k) * (ps[i] ?? 1)));
      return [i, least] as const;
    }),
  );
  return ps.map((_, i) => adjusted.get(i) ?? 1);
};
