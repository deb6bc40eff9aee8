import type { EngineTimes, Times } from '../../data/measurements.ts';
import { permutation, stream } from '../../data/random.ts';
import type { StageContext } from '../stage.ts';
import type { OnEngine, Subject, Timed } from './orders.ts';
import { timeInProcess, type Watch } from './process.ts';

interface Options {
  readonly threads: number;
  readonly rounds: number;
  readonly processes: number;
}

/** Rounds of each process: all of them shared out, none without. */
const sharesOf = ({ rounds, processes }: Options): readonly number[] => {
  const count = Math.min(processes, rounds);
  const upTo = (p: number): number => Math.floor((p * rounds) / count);
  return Array.from({ length: count }, (_, p) => upTo(p + 1) - upTo(p));
};

/** One list of rounds a cell from those of several processes. */
const joined = (parts: readonly Times[], cells: number): Times =>
  Array.from({ length: cells }, (_, cell) => parts.flatMap((times) => times[cell] ?? []));

/** What is timed on one engine. */
export interface Timing {
  readonly on: OnEngine;
  readonly models: ReadonlyMap<string, Subject>;
}

export type Together = Pick<EngineTimes, 'processes' | 'models'> & { readonly kernel: Times };

/** What came of one process: its share of the rounds, and the order of its subjects. */
interface Part {
  readonly rounds: number;
  readonly order: Int32Array;
  readonly timed: Timed;
}

/**
 * Times all models and the kernel in one fresh process. Each has its own order of models, so that what a model inherits from its
 * neighbour (caches, a warm core) is part of the noise between processes and not of its figure.
 */
const timePart = async (
  { on, models }: Timing,
  kernel: Subject,
  [process, rounds]: readonly [number, number],
  threads: number,
  watch: Watch,
): Promise<Part> => {
  const subjects = [...models.values(), kernel];
  const order = permutation(subjects.length, stream(0, 'measure', process));
  const ordered = [...order].flatMap((s) => subjects[s] ?? []);
  return {
    rounds,
    order,
    timed: await timeInProcess({ type: 'time', ...on, threads, rounds, subjects: ordered }, watch),
  };
};

const together = (models: Timing['models'], kernel: Subject, parts: readonly Part[]): Together => {
  const ids = [...models.keys()];
  const timesOf = (subject: number): Times =>
    joined(
      parts.map(({ order, timed }) => timed.times[order.indexOf(subject)] ?? []),
      kernel.feeds.length,
    );
  return {
    processes: parts.map(({ rounds, order, timed }) => ({
      rounds,
      switches: timed.switches,
      warmUp: Object.fromEntries(ids.map((id, s) => [id, timed.warmUp[order.indexOf(s)] ?? []])),
    })),
    kernel: timesOf(ids.length),
    models: Object.fromEntries(ids.map((id, s) => [id, timesOf(s)])),
  };
};

/**
 * Times all models and the kernel by the same rounds on every engine, one process after another: the first share of the rounds on
 * each engine in turn, then the second. What the machine drifts falls on all engines alike, and no engine computes while
 * another one is timed.
 */
export const timeRounds = async (
  timings: readonly Timing[],
  kernel: Subject,
  options: Options,
  { signal, progress }: Pick<StageContext, 'signal' | 'progress'>,
): Promise<readonly Together[]> => {
  const shares = sharesOf(options);
  const parts = timings.map((): Part[] => []);
  const total = options.rounds * timings.length;
  let before = 0;
  for (const [p, rounds] of shares.entries()) {
    for (const [e, timing] of timings.entries()) {
      const reached = before;
      const { engine } = timing.on;
      const on = engine === undefined ? '' : ` on ${engine}`;
      const phase = `process ${p + 1} of ${shares.length}${on}`;
      const onRound = (done: number): void => progress({ done: reached + done, total, unit: 'rounds', phase });
      onRound(0);
      parts[e]?.push(await timePart(timing, kernel, [p, rounds], options.threads, { signal, onRound }));
      before += rounds;
    }
  }
  return timings.map(({ models }, e) => together(models, kernel, parts[e] ?? []));
};
