import type { Turn, WarmUp } from '../../data/measurements.ts';
import type { Program } from '../../engine/engine.ts';
import { COARSE, crowdingClock, waitingClock } from '../../engine/processor.ts';
import { timed } from '../../engine/timed.ts';
import { peakBytes } from '../../ground/peak.ts';
import { preparing } from './open.ts';
import type { Loaded, LoadOrder, Report, Subject, Timed, TimeOrder } from './orders.ts';
import { takeTurn } from './turn.ts';
import { warmUp } from './warm-up.ts';

type Say = (report: Report) => void;
type Opened = Subject & { readonly program: Program };

const open = async (order: TimeOrder, say: Say): Promise<readonly Opened[]> => {
  const prepare = await preparing(order);
  const opened: Opened[] = [];
  for (const subject of order.subjects) {
    say({ type: 'at', name: subject.name });
    const load = await prepare(subject.file, order.threads);
    opened.push({ ...subject, program: await load() });
  }
  return opened;
};

const warmUpAll = async (opened: readonly Opened[], say: Say): Promise<readonly (readonly WarmUp[])[]> => {
  const all: WarmUp[][] = [];
  for (const { name, program, feeds } of opened) {
    say({ type: 'at', name });
    const cells: WarmUp[] = [];
    for (const cell of feeds) if (cell !== null) cells.push(await warmUp(() => timed(program, cell)));
    all.push(cells);
  }
  return all;
};

/**
 * Where a single turn cannot tell how long it waited, what all of them did together counts for each. Beside a device it cannot:
 * who waits for an answer has no processor either.
 */
const evened = (times: Timed['times'], { engine, threads }: TimeOrder, share: number): Timed['times'] =>
  engine !== undefined || threads > 1 || COARSE
    ? times.map((cells) => cells.map((turns) => turns.map((turn) => ({ ...turn, waited: share }))))
    : times;

const switched = (): number => process.resourceUsage().involuntaryContextSwitches;

/** Rounds A B C A B C: in each, every cell of the grid, and at each cell every subject in turn. */
export const timeTogether = async (order: TimeOrder, say: Say): Promise<Timed> => {
  const opened = await open(order, say);
  const warm = await warmUpAll(opened, say);
  const times = opened.map(({ feeds }) => feeds.map((): Turn[] => []));
  const cells = opened[0]?.feeds.length ?? 0;
  const [crowding, before] = [crowdingClock(order.threads), switched()];
  for (let round = 0; round < order.rounds; round++) {
    say({ type: 'at', name: `round ${round + 1} of ${order.rounds} over all models` });
    for (let cell = 0; cell < cells; cell++) {
      for (const [s, { program, feeds }] of opened.entries()) {
        const mine = feeds[cell];
        if (mine != null) times[s]?.[cell]?.push(await takeTurn(program, mine));
      }
    }
    say({ type: 'round', done: round + 1 });
  }
  const [share, switches] = [crowding(), switched() - before];
  for (const { program } of opened) await program.release();
  return { times: evened(times, order, share), warmUp: warm, switches };
};

/** From an idle runtime to the first answer. The file was just written, so that it comes from memory, not from a disk. */
export const loadOnce = async (order: LoadOrder, say: Say): Promise<Loaded> => {
  const { subject, threads, engine } = order;
  say({ type: 'at', name: subject.name });
  const load = await (await preparing(order))(subject.file, threads);
  const waiting = waitingClock();
  const start = performance.now();
  const program = await load();
  const sessionMs = performance.now() - start;
  const firstRunMs = await timed(program, subject.feeds);
  const waited = COARSE || engine !== undefined ? 0 : waiting();
  const peak = peakBytes();
  await program.release();
  return { sessionMs, firstRunMs, peakBytes: peak, waited };
};
