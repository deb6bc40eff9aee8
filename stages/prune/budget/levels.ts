import type { Part } from '../../../models/anatomy.ts';

/** Shares of a part at which harm is measured: finer where little is left, since there each unit matters more. */
const neurons = [1 / 32, 1 / 16, 3 / 32, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8];
const heads = [1 / 12, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 5 / 6];
const widths = [3 / 4, 1 / 2, 3 / 8, 1 / 4];

/** Kernels like widths that are multiples of 16; small models keep finer steps. */
const stepFor = (count: number): number => (count >= 256 ? 16 : count >= 64 ? 8 : count >= 16 ? 4 : 1);

const levels = (count: number, shares: readonly number[], step: number): readonly number[] => {
  const rounded = shares.map((share) => Math.max(step, Math.round((count * share) / step) * step));
  return [...new Set([...rounded.filter((level) => level < count), count])].toSorted((a, b) => a - b);
};

/** How many units of heads or neurons a budget may leave, from the fewest to all. */
export const levelsOf = ({ kind, count }: Pick<Part, 'kind' | 'count'>): readonly number[] =>
  kind === 'heads' ? levels(count, heads, 1) : levels(count, neurons, stepFor(count));

/** Widths of the stream to try, from the whole one down. */
export const widthsOf = (count: number): readonly number[] => levels(count, widths, stepFor(count)).toReversed();
