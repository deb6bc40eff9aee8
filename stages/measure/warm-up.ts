import type { WarmUp } from '../../data/measurements.ts';
import { middle } from '../../ground/middle.ts';

/**
 * Runs that are judged together: their median does not mind an interruption, and the time they take is long enough for
 * Node to compile what it runs often, which is a good part of the time of a small model.
 */
const WINDOW = { runs: 3, ms: 25, most: 1000 } as const;
/** Warming up only ever makes runs quicker: a window that gained less than this on the one before is warm. */
const GAIN = 0.03;
/** Where a machine swings, windows may go on gaining by chance: then rounds begin all the same, and it is recorded. */
const MOST_WINDOWS = 12;
const MOST_MS = 1000;

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const windowOf = async (run: () => Promise<number>): Promise<readonly number[]> => {
  const times: number[] = [];
  let spent = 0;
  while (times.length < WINDOW.runs || (spent < WINDOW.ms && times.length < WINDOW.most)) {
    const ms = await run();
    times.push(ms);
    spent += ms;
  }
  return times;
};

/** Runs until it is stable: two windows at least, and no longer than the limits. */
export const warmUp = async (run: () => Promise<number>): Promise<WarmUp> => {
  const all = [...(await windowOf(run))];
  let before = middle(all);
  for (let windows = 2; ; windows++) {
    const times = await windowOf(run);
    const now = middle(times);
    all.push(...times);
    if (now >= (1 - GAIN) * before) return { runs: all.length, settled: true };
    if (windows === MOST_WINDOWS || sumOf(all) > MOST_MS) return { runs: all.length, settled: false };
    before = now;
  }
};
