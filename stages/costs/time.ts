import { join } from 'node:path';
import type { Feeds } from '../../engine/engine.ts';
import { encodedBytes, writeGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { storedAs } from '../../graph/quantize/convert.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import type { Subject } from '../measure/orders.ts';
import { timeRounds } from '../measure/rounds.ts';
import type { StageContext } from '../stage.ts';
import { isEnough, type Pairs, pairsOf, type Share, shareIn } from './pairs.ts';
import type { CostTable } from './table.ts';

/** As `measure` times where nobody says otherwise. */
export const THREADS = 1;

/** What the files of one lot may take of memory at once, and how many there are at most. */
const [MOST_BYTES, MOST_FILES] = [1.5e9, 8];

/** How often rounds are added where too many were disturbed. */
const TRIES = 4;

/** A graph as it is deployed. */
export const deployed = (graph: Graph, as: CostTable['as']): Graph =>
  as === 'int8' ? storedAs(graph).graph : fuseForInference(graph);

/** What a model is timed on, and beside. */
export interface Beside {
  /** The model that came in, as it is deployed. */
  readonly whole: Graph;
  readonly feeds: Feeds;
  /** An empty folder. */
  readonly folder: string;
  readonly rounds: number;
  readonly processes: number;
  readonly ctx: Pick<StageContext, 'signal' | 'progress'>;
}

const written = async (graph: Graph, name: string, { folder, feeds }: Beside): Promise<Subject> => {
  const file = join(folder, `${name}.onnx`);
  await writeGraph(file, graph);
  return { name, file, feeds: [feeds] };
};

/** Graphs in lots that memory holds together, each with its place. */
const lotsOf = (graphs: readonly Graph[], whole: Graph): readonly (readonly (readonly [number, Graph])[])[] => {
  const size = Math.max(1, Math.min(MOST_FILES, Math.floor(MOST_BYTES / encodedBytes(whole))));
  const placed = [...graphs.entries()];
  return Array.from({ length: Math.ceil(placed.length / size) }, (_, lot) =>
    placed.slice(lot * size, (lot + 1) * size),
  );
};

/** Times in turns until enough of them were undisturbed, or a few times over. */
const lotTimes = async (
  lot: readonly (readonly [number, Graph])[],
  whole: Subject,
  beside: Beside,
): Promise<ReadonlyMap<number, Pairs>> => {
  const { rounds, processes, ctx } = beside;
  const models = new Map<string, Subject>();
  for (const [place, graph] of lot) models.set(`${place}`, await written(graph, `${place}`, beside));
  let pairs = new Map<number, Pairs>(lot.map(([place]) => [place, []]));
  for (let tries = 0; tries < TRIES && ![...pairs.values()].every(isEnough); tries++) {
    const [timed] = await timeRounds([{ on: {}, models }], whole, { threads: THREADS, rounds, processes }, ctx);
    const theirs = timed?.kernel[0] ?? [];
    pairs = new Map(
      [...pairs].map(([place, before]) => [place, [...before, ...pairsOf(timed?.models[place]?.[0] ?? [], theirs)]]),
    );
  }
  return pairs;
};

/**
 * What graphs take of the time of the whole model: the median over undisturbed rounds in which each had its turn beside it, so that
 * a machine whose speed swings swings for both.
 */
export const sharesOfTime = async (graphs: readonly Graph[], beside: Beside): Promise<readonly Share[]> => {
  const whole = await written(beside.whole, 'whole', beside);
  const shares: Share[] = [];
  for (const lot of lotsOf(graphs, beside.whole)) {
    for (const pairs of (await lotTimes(lot, whole, beside)).values()) shares.push(shareIn(pairs));
  }
  return shares;
};
