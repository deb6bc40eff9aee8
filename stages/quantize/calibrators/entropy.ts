import type { Histogram } from '../../../engine/observe/histogram.ts';
import { fixedPointOf, type Range } from '../../../graph/quantize/range.ts';
import type { Calibrator } from './calibrator.ts';
import { cheapest } from './shares.ts';

const LEVELS = 256;

/**
 * KL divergence of what 256 steps tell about numbers from what is clipped to their range: each step spreads its numbers evenly
 * over its bins that hold some.
 *
 * Migacz 2017, 8-bit inference with TensorRT.
 */
const divergenceOf = (histogram: Histogram, range: Range): number => {
  const { step, zero } = fixedPointOf(range);
  const { counts } = histogram;
  const levelOf = (bin: number): number => Math.round(histogram.middleOf(bin) / step) + zero;
  const [sums, bins] = [new Float64Array(LEVELS), new Float64Array(LEVELS)];
  const clipped = Float64Array.from(counts);
  let [first, last] = [-1, -1];
  counts.forEach((_, bin) => {
    const level = levelOf(bin);
    if (level < 0 || level >= LEVELS) return;
    first = first < 0 ? bin : first;
    last = bin;
  });
  counts.forEach((count, bin) => {
    if (bin >= first && bin <= last) return;
    clipped[bin] = 0;
    const end = bin < first ? first : last;
    clipped[end] = (clipped[end] as number) + count;
  });
  for (let bin = first; bin <= last; bin++) {
    const [level, count] = [levelOf(bin), counts[bin] as number];
    if (count === 0) continue;
    sums[level] = (sums[level] as number) + count;
    bins[level] = (bins[level] as number) + 1;
  }
  const [all, inside] = [histogram.total, sums.reduce((sum, x) => sum + x, 0)];
  let divergence = 0;
  for (let bin = first; bin <= last; bin++) {
    const p = (clipped[bin] as number) / all;
    if (p === 0) continue;
    const level = levelOf(bin);
    const spread = (counts[bin] as number) === 0 ? 0 : (sums[level] as number) / (bins[level] as number) / inside;
    // A bin that only clipped numbers are in, the steps say nothing of: as if one number of all were.
    divergence += p * Math.log(p / Math.max(spread, 1 / (all + 1)));
  }
  return divergence;
};

export const entropy = {
  name: 'entropy',
  summary: 'the range whose 256 steps tell most about how numbers are spread (KL divergence)',
  counts: true,
  range: ({ histogram }) => cheapest(histogram, (range) => divergenceOf(histogram, range)),
} as const satisfies Calibrator;
