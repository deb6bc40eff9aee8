import type { Feeds, Program } from '../../engine/engine.ts';
import { COARSE, crowdingClock, waitingClock } from '../../engine/processor.ts';
import { timed } from '../../engine/timed.ts';

/** A graph that has its turn in every round. */
export interface Runner {
  readonly program: Program;
  readonly feeds: Feeds;
}

/** What one graph may take of a round: short ones run more often. */
const TURN_MS = 2;
const FEWEST_RUNS = 3;
const MOST_RUNS = 12;
const WARM_UP_RUNS = 3;

const runsOf = async ({ program, feeds }: Runner, count: number): Promise<readonly number[]> => {
  const runs: number[] = [];
  for (let i = 0; i < count; i++) runs.push(await timed(program, feeds));
  return runs;
};

/** How a turn's runs become one number. */
export type Summary = (runs: readonly number[]) => number;

/** What other processes add is no property of a graph. */
const quickest: Summary = (runs) => Math.min(...runs);
/** Threads that wait for each other are: the runs in which they do have to count. */
export const mean: Summary = (runs) => runs.reduce((sum, ms) => sum + ms, 0) / runs.length;

/** What one runner took, one figure a round. */
export interface Turns {
  readonly ms: readonly number[];
  readonly waited: readonly number[];
}

export interface Rounds {
  readonly rounds: number;
  readonly signal: AbortSignal;
  readonly summary?: Summary;
}

/** Where single turns cannot tell how long they waited: what all of them did together. */
export const crowded = ({ ms }: Turns, share: number): Turns => ({ ms, waited: ms.map(() => share) });

/**
 * Milliseconds of each runner, one a round, interleaved A B C A B C so that differences hold on a machine whose speed
 * swings. Every other round goes backwards, so that no graph always follows the same one.
 */
export const timeTogether = async (
  runners: readonly Runner[],
  { rounds, signal, summary = quickest }: Rounds,
): Promise<readonly Turns[]> => {
  const turns: number[] = [];
  for (const runner of runners) {
    const once = quickest(await runsOf(runner, WARM_UP_RUNS));
    turns.push(Math.max(FEWEST_RUNS, Math.min(MOST_RUNS, Math.round(TURN_MS / once))));
  }
  const order = runners.map((_, i) => i);
  const times = runners.map(() => ({ ms: [] as number[], waited: [] as number[] }));
  const crowding = crowdingClock(1);
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    for (const i of round % 2 === 0 ? order : order.toReversed()) {
      const runner = runners[i];
      if (runner === undefined) continue;
      const waited = waitingClock();
      times[i]?.ms.push(summary(await runsOf(runner, turns[i] ?? FEWEST_RUNS)));
      times[i]?.waited.push(waited());
    }
  }
  return COARSE ? times.map((turns) => crowded(turns, crowding())) : times;
};
