import type { MeasuredProcess, Times } from '../../data/measurements.ts';
import { permutation, stream } from '../../data/random.ts';
import type { StageContext } from '../stage.ts';
import type { Subject, Timed } from './orders.ts';
import { timeInProcess } from './process.ts';

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

interface Together {
  readonly processes: readonly MeasuredProcess[];
  readonly kernel: Times;
  readonly models: Readonly<Record<string, Times>>;
}

/**
 * Times all models and the kernel in one fresh process after another. Each has its own order of models, so that what a
 * model inherits from its neighbour (caches, a warm core) is part of the noise between processes and not of its figure.
 */
export const timeRounds = async (
  models: ReadonlyMap<string, Subject>,
  kernel: Subject,
  options: Options,
  ctx: Pick<StageContext, 'signal' | 'progress'>,
): Promise<Together> => {
  const ids = [...models.keys()];
  const subjects = [...models.values(), kernel];
  const shares = sharesOf(options);
  const ended: { readonly rounds: number; readonly order: Int32Array; readonly timed: Timed }[] = [];
  let before = 0;
  for (const [p, rounds] of shares.entries()) {
    const order = permutation(subjects.length, stream(0, 'measure', p));
    const reached = before;
    const phase = `process ${p + 1} of ${shares.length}`;
    const onRound = (done: number): void =>
      ctx.progress({ done: reached + done, total: options.rounds, unit: 'rounds', phase });
    onRound(0);
    const ordered = [...order].flatMap((s) => subjects[s] ?? []);
    const timed = await timeInProcess(
      { type: 'time', threads: options.threads, rounds, subjects: ordered },
      { signal: ctx.signal, onRound },
    );
    ended.push({ rounds, order, timed });
    before += rounds;
  }
  const timesOf = (subject: number): Times =>
    joined(
      ended.map(({ order, timed }) => timed.times[order.indexOf(subject)] ?? []),
      kernel.feeds.length,
    );
  return {
    processes: ended.map(({ rounds, order, timed }) => ({
      rounds,
      switches: timed.switches,
      warmUp: Object.fromEntries(ids.map((id, s) => [id, timed.warmUp[order.indexOf(s)] ?? []])),
    })),
    kernel: timesOf(ids.length),
    models: Object.fromEntries(ids.map((id, s) => [id, timesOf(s)])),
  };
};
