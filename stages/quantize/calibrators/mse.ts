import type { Histogram } from '../../../engine/observe/histogram.ts';
import { fixedPointOf, inSteps, type Range } from '../../../graph/quantize/range.ts';
import type { Calibrator } from './calibrator.ts';
import { cheapest } from './shares.ts';

/** Sum of squared errors of all numbers in 256 steps of a range. */
const errorOf = (histogram: Histogram, range: Range): number => {
  const point = fixedPointOf(range);
  let sum = 0;
  histogram.counts.forEach((count, bin) => {
    if (count === 0) return;
    const x = histogram.middleOf(bin);
    sum += count * (x - inSteps(x, point)) ** 2;
  });
  return sum;
};

export const mse = {
  name: 'mse',
  summary: 'the range by which numbers are rounded with the least squared error',
  counts: true,
  range: ({ histogram }) => cheapest(histogram, (range) => errorOf(histogram, range)),
} as const satisfies Calibrator;
