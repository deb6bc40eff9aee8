import type { WarmUp } from '../../data/measurements.ts';
import type { Program } from '../../engine/engine.ts';
import { openFile } from '../../engine/session.ts';
import { timed } from '../../engine/timed.ts';
import type { Loaded, LoadOrder, Report, Subject, Timed, TimeOrder } from './orders.ts';
import { peakBytes } from './peak.ts';
import { warmUp } from './warm-up.ts';

type Say = (report: Report) => void;
type Opened = Subject & { readonly program: Program };

const open = async ({ subjects, threads }: TimeOrder, say: Say): Promise<readonly Opened[]> => {
  const opened: Opened[] = [];
  for (const subject of subjects) {
    say({ type: 'at', name: subject.name });
    opened.push({ ...subject, program: await openFile(subject.file, { threads, optimization: 'all' }) });
  }
  return opened;
};

const warmUpAll = async (opened: readonly Opened[], say: Say): Promise<readonly (readonly WarmUp[])[]> => {
  const all: WarmUp[][] = [];
  for (const { name, program, turns } of opened) {
    say({ type: 'at', name });
    const cells: WarmUp[] = [];
    for (const { feeds } of turns) cells.push(await warmUp(() => timed(program, feeds)));
    all.push(cells);
  }
  return all;
};

/** The first run pays for what the others left in the caches and does not count. */
const turn = async (program: Program, { feeds, runs }: Subject['turns'][number]): Promise<readonly number[]> => {
  await program.run(feeds);
  const times: number[] = [];
  while (times.length < runs) times.push(await timed(program, feeds));
  return times;
};

/** Rounds A B C A B C: in each, every cell of the grid, and at each cell every subject in turn. */
export const timeTogether = async (order: TimeOrder, say: Say): Promise<Timed> => {
  const opened = await open(order, say);
  const warm = await warmUpAll(opened, say);
  const times = opened.map(({ turns }) => turns.map((): (readonly number[])[] => []));
  const cells = opened[0]?.turns.length ?? 0;
  for (let round = 0; round < order.rounds; round++) {
    say({ type: 'at', name: `round ${round + 1} of ${order.rounds} over all models` });
    for (let cell = 0; cell < cells; cell++) {
      for (const [s, { program, turns }] of opened.entries()) {
        const mine = turns[cell];
        if (mine !== undefined) times[s]?.[cell]?.push(await turn(program, mine));
      }
    }
    say({ type: 'round', done: round + 1 });
  }
  for (const { program } of opened) await program.release();
  return { times, warmUp: warm };
};

/** From an idle runtime to the first answer. The file was just written, so that it comes from memory, not from a disk. */
export const loadOnce = async ({ subject, threads }: LoadOrder, say: Say): Promise<Loaded> => {
  say({ type: 'at', name: subject.name });
  const start = performance.now();
  const program = await openFile(subject.file, { threads, optimization: 'all' });
  const sessionMs = performance.now() - start;
  const firstRunMs = await timed(program, subject.feeds);
  const peak = peakBytes();
  await program.release();
  return { sessionMs, firstRunMs, peakBytes: peak };
};
