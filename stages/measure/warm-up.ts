import type { WarmUp } from '../../data/measurements.ts';

/** Runs that are judged together: their median does not mind one interruption. */
const WINDOW = 3;
/** Warming up only ever makes runs quicker: a window that gained less than this on the one before is warm. */
const GAIN = 0.05;
/** Where a machine swings, windows may go on gaining by chance: then rounds begin all the same, and it is recorded. */
const MOST_RUNS = 60;
const MOST_MS = 1000;

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const windowOf = async (run: () => Promise<number>): Promise<readonly number[]> => {
  const times: number[] = [];
  while (times.length < WINDOW) times.push(await run());
  return times;
};

/** Runs until it is stable: two windows at least, and no longer than the limits. */
export const warmUp = async (run: () => Promise<number>): Promise<WarmUp> => {
  let before = middle(await windowOf(run));
  let spent = 0;
  for (let runs = 2 * WINDOW; ; runs += WINDOW) {
    const times = await windowOf(run);
    const now = middle(times);
    spent += times.reduce((sum, ms) => sum + ms, 0);
    if (now >= (1 - GAIN) * before) return { runs, settled: true };
    if (runs + WINDOW > MOST_RUNS || spent > MOST_MS) return { runs, settled: false };
    before = now;
  }
};
