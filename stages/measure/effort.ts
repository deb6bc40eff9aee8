import type { Effort } from '../expected.ts';

interface Options {
  readonly rounds: number;
  readonly processes: number;
  readonly loads: number;
  readonly batch: number;
}

/** Runs of a turn that lasts as long as two of them, with the one that does not count (see turn.ts). */
const TURN_RUNS = 3;
/** Runs that warm a model up in each process: two windows of three at least (see warm-up.ts). */
const WARM_RUNS = 6;
/** Seconds of a turn of a small model, at each of the two cells; of a window; and until a process is there. */
const [TURN, WINDOWS, BEGIN] = [0.008, 0.05, 0.6];

/** Runs of each model alone and in a batch; what is quick takes the time of a turn all the same. */
export const measuringEffort = ({ rounds, processes, loads, batch }: Options, models: number): Effort => {
  const runs = rounds * TURN_RUNS + processes * WARM_RUNS;
  const turns = 2 * (models + 1) * (rounds * TURN + processes * WINDOWS);
  return {
    alone: runs,
    asked: runs * batch,
    seconds: turns + BEGIN * (processes + loads * (models + 1)),
  };
};
