import type { Encoded } from '../../engine/encoded.ts';
import type { Feeds } from '../../engine/engine.ts';
import { filledFeeds } from '../../engine/feeds.ts';
import type { ModelInfo } from '../../models/model.ts';
import type { Contender } from './files.ts';
import { open, type Runner } from './session.ts';

export interface Cell {
  readonly batch: number;
  readonly length: number;
  readonly threads: number;
}

/** How decant's file stands beside the fastest of the others. */
export interface Result {
  readonly cell: Cell;
  /** p50 over all rounds of each contender that went the distance, in ms, decant's first. */
  readonly times: readonly { readonly contender: Contender; readonly ms: number }[];
  /** decant's p50 over the fastest rival's, median over the rounds; undefined without a rival. */
  readonly ratio: number | undefined;
}

/** Turns before the rounds, in which rivals that cannot win drop out. */
const HEATS = 2;
/** Rivals this much slower than the fastest of them leave: their place in the round costs time and tells nothing. */
const OUT_OF_REACH = 1.15;
const MILLISECONDS_A_TURN = 8;
const RUNS_A_TURN = { least: 3, most: 60 } as const;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** p50 of one turn in ms. The first run pays for what the others left in the caches and does not count. */
const turn = async (runner: Runner, feeds: Feeds): Promise<number> => {
  await runner.run(feeds);
  const runs: number[] = [];
  const begin = performance.now();
  while (runs.length < RUNS_A_TURN.least || performance.now() - begin < MILLISECONDS_A_TURN) {
    const start = performance.now();
    await runner.run(feeds);
    runs.push(performance.now() - start);
    if (runs.length === RUNS_A_TURN.most) break;
  }
  return median(runs);
};

interface Lane {
  readonly contender: Contender;
  readonly runner: Runner;
  readonly turns: number[];
}

/** Every lane once, starting one further each round: nobody always follows the same neighbour. */
const round = async (lanes: readonly Lane[], feeds: Feeds, number: number): Promise<void> => {
  for (let i = 0; i < lanes.length; i++) {
    const lane = lanes[(i + number) % lanes.length];
    lane?.turns.push(await turn(lane.runner, feeds));
  }
};

const isOurs = ({ contender }: Lane): boolean => contender.maker === 'decant';

const afterHeats = (lanes: readonly Lane[]): readonly Lane[] => {
  const best = Math.min(...lanes.filter((lane) => !isOurs(lane)).map(({ turns }) => Math.min(...turns)));
  return lanes.filter((lane) => isOurs(lane) || Math.min(...lane.turns) <= best * OUT_OF_REACH);
};

const runCell = async (all: readonly Lane[], cell: Cell, feeds: Feeds, rounds: number): Promise<Result> => {
  for (const lane of all) lane.turns.length = 0;
  for (let heat = 0; heat < HEATS; heat++) await round(all, feeds, heat);
  const lanes = afterHeats(all);
  for (const lane of lanes) lane.turns.length = 0;
  for (let number = 0; number < rounds; number++) await round(lanes, feeds, number);
  const times = lanes.map(({ contender, turns }) => ({ contender, ms: median(turns) }));
  const ours = lanes.find(isOurs);
  const rivals = lanes.filter((lane) => !isOurs(lane)).toSorted((a, b) => median(a.turns) - median(b.turns));
  const [fastest] = rivals;
  const ratio =
    ours === undefined || fastest === undefined
      ? undefined
      : median(ours.turns.map((ms, i) => ms / (fastest.turns[i] ?? Number.NaN)));
  return { cell, times, ratio };
};

/** Files of one precision against each other, in turns within one process. */
export const race = async (
  contenders: readonly Contender[],
  info: ModelInfo,
  options: { readonly cells: readonly Cell[]; readonly examples: readonly Encoded[]; readonly rounds: number },
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  for (const threads of new Set(options.cells.map((cell) => cell.threads))) {
    const lanes: Lane[] = [];
    try {
      for (const contender of contenders) {
        lanes.push({ contender, runner: await open(contender.path, info, threads), turns: [] });
      }
      for (const cell of options.cells) {
        if (cell.threads === threads) {
          const feeds = filledFeeds(info, options.examples, cell);
          results.push(await runCell(lanes, cell, feeds, options.rounds));
        }
      }
    } finally {
      for (const { runner } of lanes) await runner.close();
    }
  }
  return results;
};
