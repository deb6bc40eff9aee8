import type { Graph } from '../../../graph/graph.ts';
import { stageError, type UserError } from '../../../ground/errors.ts';
import type { Json } from '../../../ground/json.ts';
import { anatomyOf } from '../../../models/anatomy.ts';
import { capped, leastGraph } from '../../costs/variants.ts';
import type { CutResult } from '../cut.ts';
import { precise } from '../precise.ts';
import { amountOnTheWay } from '../rounds.ts';
import { cutStructure } from '../structured.ts';
import { cutBy, type Division, dividedWithin } from './divide.ts';
import { widthsOf } from './levels.ts';
import { type Dividing, type Measured, measured } from './measured.ts';
import { isMet, settled } from './settle.ts';

export interface Budgeting extends Dividing {
  readonly rounds: number;
  /** Of time: what a graph takes of that of the model that came in, measured. */
  readonly timed: ((graph: Graph) => Promise<number>) | undefined;
}

/** One width of the stream, divided. */
interface Candidate {
  readonly hidden: number;
  readonly found: Measured;
  readonly division: Division;
  readonly graph: Graph;
  /** Numbers that the layers of the divided graph had in the model that came in. */
  readonly numbers: readonly number[];
  /** How many layers that one had. */
  readonly layers: number;
  readonly harm: number;
}

const hiddenOf = (graph: Graph): number => Math.max(0, ...anatomyOf(graph).hidden.map(({ count }) => count));

const unreachable = ({ meter, kinds }: Pick<Budgeting, 'kinds' | 'meter'>, least: number): UserError => {
  const more = kinds.includes('hidden') ? '' : ', or let the width of the stream be cut, too (cuts: [..., hidden])';
  const what = meter.called === 'p50' ? 'as quick' : meter.called;
  const reached = meter.called === 'p50' ? `at most ${meter.written(least)}` : `at least ${meter.written(least)}`;
  return stageError(
    `budget: ${meter.asked} ${what} cannot be reached: with the fewest ${kinds.join(', ')} that can stay it is ${reached}; ` +
      `ask for that${more}`,
  );
};

/** The graph at one width of the stream. */
const narrowed = async (given: Budgeting, hidden: number): Promise<Graph> => {
  const { subject, criterion, compensate } = given;
  if (hidden === hiddenOf(subject.graph)) return subject.graph;
  const cut = { keep: { hidden }, criterion, scope: 'layer', rounds: 1, compensate } as const;
  return (await cutStructure(subject, cut)).graph;
};

const leastCount = ({ meter, kinds }: Budgeting, graph: Graph): number =>
  meter.count(leastGraph(graph, new Set<string>(kinds)));

/** Widths of the stream to try, from the whole one down. */
const widthsIn = ({ kinds }: Pick<Budgeting, 'kinds'>, graph: Graph): readonly number[] =>
  kinds.includes('hidden') ? widthsOf(hiddenOf(graph)) : [hiddenOf(graph)];

/** Refuses what no cut keeps to, by counts alone: which units go does not matter for these. */
export const expectReachable = (given: Pick<Budgeting, 'kinds' | 'meter'>, graph: Graph): void => {
  const { meter, kinds } = given;
  const fewest = widthsIn(given, graph).map((hidden) =>
    meter.count(leastGraph(capped(graph, { hidden, embedding: hidden }), new Set<string>(kinds))),
  );
  if (Math.min(...fewest) > meter.limit) throw unreachable(given, Math.min(...fewest));
};

/** Divides the budget over a graph of one width, in rounds with everything measured anew before each. */
const dividedAt = async (given: Budgeting, hidden: number, start: Graph): Promise<Candidate> => {
  const { subject, meter, rounds, harms } = given;
  const { layers } = anatomyOf(start);
  let [graph, numbers] = [start, layers.map(({ index }) => index)];
  for (let left = rounds; ; left--) {
    const here = { ...given, subject: { ...subject, graph } };
    const found = await measured(here);
    const division = dividedWithin(found, given, amountOnTheWay(meter.count(graph), meter.limit, left));
    const cut = await cutBy(found, division, here);
    if (left <= 1)
      return { hidden, found, division, graph: cut, numbers, layers: layers.length, harm: await harms.harmOf(cut) };
    numbers = division.layers.flatMap((layer) => numbers[layer] ?? []);
    graph = cut;
  }
};

/** Widths from the whole one down, as long as what is lost falls. */
const bestWidth = async (given: Budgeting): Promise<Candidate> => {
  const widths = widthsIn(given, given.subject.graph);
  let best: Candidate | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const hidden of widths) {
    const graph = await narrowed(given, hidden);
    const fewest = leastCount(given, graph);
    least = Math.min(least, fewest);
    if (fewest > given.meter.limit) continue;
    const candidate = await dividedAt(given, hidden, graph);
    if (best !== undefined && candidate.harm >= best.harm) break;
    best = candidate;
  }
  if (best === undefined) throw unreachable(given, least);
  return best;
};

interface Finished extends Pick<Candidate, 'graph' | 'division'> {
  readonly reached: number;
}

const isSame = (a: Finished, b: Finished): boolean =>
  a.division.layers.join() === b.division.layers.join() &&
  [...a.division.left].every(([part, level]) => b.division.left.get(part) === level);

/** Times that tell nothing: what was corrected is as far off as before. */
const unsettled = ({ meter }: Budgeting, found: number): UserError =>
  stageError(
    `budget: ${meter.asked} as quick was asked for, and the nearest that was timed is ${meter.written(found)}, though more or less ` +
      'could be cut: other work has the processor, or single cuts are too coarse; run again on a machine that is less busy',
  );

/** Measures what was divided by a table, and corrects it. */
const inTime = async (
  given: Budgeting,
  best: Candidate,
  timed: (graph: Graph) => Promise<number>,
): Promise<Finished> => {
  const { meter } = given;
  const here = { ...given, subject: { ...given.subject, graph: best.found.graph } };
  const make = async (amount: number): Promise<Finished> => {
    const division = dividedWithin(best.found, given, amount);
    return { division, graph: await cutBy(best.found, division, here), reached: amount };
  };
  const { made, found } = await settled(meter.limit, make, ({ graph }) => timed(graph), isSame);
  if (isMet(found, meter.limit)) return { ...made, reached: found };
  throw isSame(made, await make(0)) ? unreachable(given, found) : unsettled(given, found);
};

/** What is left of each layer, by its number in the model that came in. */
const layersJson = ({ found, numbers, layers: all }: Candidate, { left, layers }: Division): Json =>
  Array.from({ length: all }, (_, layer) => {
    const index = numbers.indexOf(layer);
    if (!layers.includes(index)) return { layer, left: 'nothing' };
    const own = [...left].filter(([part]) => part.layers.includes(index));
    const counts = own.map(([{ kind }, level]) => [kind, level] as const);
    const { layers: given } = anatomyOf(found.graph);
    const whole = (kind: 'heads' | 'ffn') => (given[index]?.[kind] ?? []).reduce((sum, { count }) => sum + count, 0);
    const of = (kind: 'heads' | 'ffn') => {
      const cut = counts.filter(([one]) => one === kind);
      return cut.length === 0 ? whole(kind) : cut.reduce((sum, [, level]) => sum + level, 0);
    };
    return { layer, heads: of('heads'), ffn: of('ffn') };
  });

/** Divides a budget over layers, heads and neurons by measured harm, and over widths of the stream where that is asked for. */
export const withinBudget = async (given: Budgeting): Promise<CutResult> => {
  const { meter, timed, harms, subject } = given;
  const best = await bestWidth(given);
  const finished: Finished =
    timed === undefined ? { ...best, reached: meter.count(best.graph) } : await inTime(given, best, timed);
  const hidden =
    best.hidden === hiddenOf(subject.graph) ? {} : { hidden: { from: hiddenOf(subject.graph), to: best.hidden } };
  const told = {
    asked: { [meter.called]: meter.asked },
    ...{ whole: meter.whole, limit: precise(meter.limit), reached: precise(finished.reached) },
    ...(meter.called === 'p50' ? { speedup: precise(1 / finished.reached) } : {}),
    harm: precise(await harms.harmOf(finished.graph)),
    harmOfSingleCuts: precise(finished.division.harm),
    layers: layersJson(best, finished.division),
  };
  return { graph: finished.graph, metrics: { ...hidden, budget: told } };
};
