import { markSmallest, type Stretch } from '../smallest.ts';
import { Quota } from '../zeros.ts';
import type { Competition } from './pattern.ts';

/** Units of one weight, in rows of the same length. */
export interface Units {
  readonly scores: Float32Array;
  readonly width: number;
}

type Marked = Units & Stretch;

const rowsOf = ({ scores, gone, width }: Marked): readonly Stretch[] =>
  Array.from({ length: scores.length / width }, (_, row) => ({
    scores: scores.subarray(row * width, (row + 1) * width),
    gone: gone.subarray(row * width, (row + 1) * width),
  }));

/** Those that compete with each other. */
const groupsOf = (all: readonly Marked[], compete: Competition): readonly (readonly Stretch[])[] => {
  if (compete === 'model') return [all];
  return all.flatMap((one) => (compete === 'matrix' ? [[one]] : rowsOf(one).map((row) => [row])));
};

/**
 * Marks with 1 the units that score least in each group, as many of all groups together as the share says: what rounding leaves to
 * one group, the next makes up for. Among equals the first go first.
 */
export const marked = (all: readonly Units[], share: number, compete: Competition): readonly Uint8Array[] => {
  const own = all.map((units) => ({ ...units, gone: new Uint8Array(units.scores.length) }));
  const quota = new Quota(share);
  for (const group of groupsOf(own, compete)) {
    markSmallest(group, quota.take(group.reduce((sum, { scores }) => sum + scores.length, 0)));
  }
  return own.map(({ gone }) => gone);
};
