import type { Histogram } from '../../../engine/observe/histogram.ts';
import type { Range } from '../../../graph/quantize/range.ts';

/** Shares of the largest magnitude that are tried, each a twentieth smaller than the one before. */
const SHARES: readonly number[] = Array.from({ length: 60 }, (_, i) => 0.95 ** i);

/** What lies within a share of the largest magnitude. */
const within = ({ low, high }: Range, share: number): Range => {
  const limit = Math.max(-low, high) * share;
  return { low: Math.max(low, -limit), high: Math.min(high, limit) };
};

/** The range, cut at a magnitude, that costs least. */
export const cheapest = (histogram: Histogram, cost: (range: Range) => number): Range => {
  const { low, high } = histogram;
  let best: Range = { low, high };
  let least = cost(best);
  for (const share of SHARES) {
    const range = within({ low, high }, share);
    const own = cost(range);
    if (own < least) [best, least] = [range, own];
  }
  return best;
};
