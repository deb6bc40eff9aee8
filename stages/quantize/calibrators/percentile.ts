import type { Histogram } from '../../../engine/observe/histogram.ts';
import type { Calibrator } from './calibrator.ts';

/** Share of all numbers that is cut. */
const CUT = 1e-5;

/** The number with so many below it, to the width of a bin. */
const atRank = (histogram: Histogram, rank: number): number => {
  let sum = 0;
  const bin = histogram.counts.findIndex((count) => {
    sum += count;
    return sum > rank;
  });
  return histogram.middleOf(bin);
};

export const percentile = {
  name: 'percentile',
  summary: 'all but one in 100,000 numbers, cut from both ends alike',
  counts: true,
  range: ({ histogram }) => {
    const cut = Math.floor((CUT * histogram.total) / 2);
    const [low, high] = [atRank(histogram, cut), atRank(histogram, histogram.total - 1 - cut)];
    return { low: Math.max(histogram.low, Math.min(0, low)), high: Math.min(histogram.high, Math.max(0, high)) };
  },
} as const satisfies Calibrator;
