import type { Turn } from '../../data/measurements.ts';
import type { Feeds, Program } from '../../engine/engine.ts';
import { waitingClock } from '../../engine/processor.ts';
import { timed } from '../../engine/timed.ts';

/**
 * A turn is as long for a model of 0.1 ms as for one of 3 ms, or the system would interrupt the one in every run and the
 * other in none.
 */
const TURN_MS = 8;
const FEWEST_RUNS = 2;

const DIGITS = 1e5;
const rounded = (ms: number): number => Math.round(ms * DIGITS) / DIGITS;

/** The first run pays for what the others left in the caches and does not count. */
export const takeTurn = async (program: Program, feeds: Feeds): Promise<Turn> => {
  await program.run(feeds);
  const waited = waitingClock();
  const end = performance.now() + TURN_MS;
  const ms: number[] = [];
  while (ms.length < FEWEST_RUNS || performance.now() < end) ms.push(rounded(await timed(program, feeds)));
  return { ms, waited: waited() };
};
