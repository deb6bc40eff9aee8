import type { Value } from '../../graph/graph.ts';
import { stageError } from '../../ground/errors.ts';
import type { Harm } from './sensitivity.ts';

/** A weight that may be stored in more bits: what that takes, and what it saves. */
export interface Widening extends Harm {
  readonly bytes: number;
}

/**
 * The weights whose harm is bought off for most, harm by byte, within so many bytes. What a weight loses in 8 bits is nothing beside
 * what it loses in 4, and single harms add up.
 */
export const widenedWithin = (widenings: readonly Widening[], bytes: number): ReadonlySet<Value> => {
  const chosen = new Set<Value>();
  let left = bytes;
  for (const { weight, bytes: own } of widenings.toSorted((a, b) => b.harm / b.bytes - a.harm / a.bytes)) {
    if (own > left) continue;
    chosen.add(weight);
    left -= own;
  }
  return chosen;
};

const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/** Bytes as people write them, such as `16MB`; undefined for anything else. */
export const bytesIn = (text: string): number | undefined => {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB)$/.exec(text.trim()) ?? [];
  return number === undefined ? undefined : Number(number) * (UNITS[unit] ?? Number.NaN);
};

/** Rounded up, so that what is written is enough. */
const written = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3)}kB` : `${(Math.ceil(bytes / 1e4) / 100).toFixed(2)}MB`;

/** Refuses a budget that everything in the fewest bits does not keep to. */
export const expectReachable = (smallest: number, budget: number): void => {
  if (smallest <= budget) return;
  throw stageError(
    `budget: ${written(budget)} cannot be reached: with every weight in the fewest bits the file has ${written(smallest)}; allow that, or cut the model first`,
  );
};
