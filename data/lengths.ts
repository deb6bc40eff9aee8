/** The lengths that stand for a split: the middle one and the 95th percentile, as order statistics (no interpolation). */
export const typicalLengths = (lengths: readonly number[]): { readonly median: number; readonly p95: number } => {
  const sorted = [...lengths].sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.floor((sorted.length - 1) * q)] ?? 1;
  return { median: at(0.5), p95: at(0.95) };
};
