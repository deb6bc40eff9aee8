import type { Graph } from '../../../graph/graph.ts';
import { anatomyOf, bypassLayer, type Part, partsOf } from '../../../models/anatomy.ts';
import type { Harms } from '../../quantize/sensitivity.ts';
import { type Compensate, type Compensation, compensatorFor } from '../compensation/index.ts';
import type { Criterion, Subject } from '../criteria/criterion.ts';
import { cutParts } from '../cut.ts';
import { selectTop } from '../select.ts';
import { levelsOf } from './levels.ts';
import type { Meter } from './meter.ts';
import type { Kind } from './options.ts';
import { type Effect, itemsOf, type LayerItem, openLayers, type PartWays } from './ways.ts';

/** What a budget is divided with. */
export interface Dividing {
  readonly subject: Subject;
  readonly kinds: readonly Kind[];
  readonly criterion: Criterion;
  readonly compensate: Compensation;
  readonly meter: Meter;
  /** Between the answers of a graph and those of the model that came in, on texts that importance does not see. */
  readonly harms: Pick<Harms, 'harmOf'>;
  onCut(done: number, total: number): void;
}

export type Scores = ReadonlyMap<Part, Float64Array>;

/** What a graph can be cut to, and by which units. */
export interface Measured {
  readonly graph: Graph;
  readonly scores: Scores;
  readonly items: readonly LayerItem[];
}

/** Units that stay where so many do. */
export const chosenIn = (scores: Scores, left: ReadonlyMap<Part, number>): ReadonlyMap<Part, readonly number[]> =>
  new Map([...left].map(([part, level]) => [part, selectTop(scores.get(part) ?? new Float64Array(part.count), level)]));

const partsFor = (graph: Graph, kinds: readonly Kind[]): readonly Part[] =>
  partsOf(anatomyOf(graph)).filter(
    ({ kind, group }) => group !== undefined && (kind === 'heads' || kind === 'ffn') && kinds.includes(kind),
  );

/** What every cut adds to what the graph takes and harms. */
class Effects {
  readonly #given: Dividing;
  readonly #takes: number;
  readonly #harm: number;
  readonly #total: number;
  #done = 0;

  constructor(given: Dividing, harm: number, total: number) {
    this.#given = given;
    this.#takes = given.meter.count(given.subject.graph);
    this.#harm = harm;
    this.#total = total;
  }

  async of(graph: Graph): Promise<Effect> {
    const { meter, harms, onCut } = this.#given;
    const effect = { takes: meter.count(graph) - this.#takes, harm: (await harms.harmOf(graph)) - this.#harm };
    onCut(++this.#done, this.#total);
    return effect;
  }
}

const waysOf = async (
  graph: Graph,
  part: Part,
  {
    scores,
    compensate,
    effects,
  }: { readonly scores: Scores; readonly compensate: Compensate; readonly effects: Effects },
): Promise<PartWays> => {
  const levels: PartWays['levels'][number][] = [];
  for (const level of levelsOf(part)) {
    const chosen = chosenIn(scores, new Map([[part, level]]));
    const effect =
      level === part.count ? { takes: 0, harm: 0 } : await effects.of(cutParts(compensate(graph, chosen), chosen));
    levels.push({ level, ...effect });
  }
  return { part, levels };
};

/** Sums of many activations together take memory that those of their means do not. */
const lots = (parts: readonly Part[], how: Compensation): readonly (readonly Part[])[] =>
  how === 'least-squares' ? parts.map((part) => [part]) : [parts];

/** What leaving each layer out adds; of all but the one that harms most, since one has to stay. */
const withoutEach = async (graph: Graph, effects: Effects): Promise<ReadonlyMap<number, Effect>> => {
  const found = new Map<number, Effect>();
  const { layers } = anatomyOf(graph);
  const open = openLayers({ layers, hidden: [] });
  for (const layer of open) found.set(layer.index, await effects.of(bypassLayer(graph, layer)));
  const worst = [...found].toSorted(([, a], [, b]) => b.harm - a.harm)[0];
  if (worst !== undefined && open.length === layers.length) found.delete(worst[0]);
  return found;
};

/** Measures every part at every level, and the graph without each layer. */
export const measured = async (given: Dividing): Promise<Measured> => {
  const { subject, kinds, criterion, compensate, harms } = given;
  const { graph } = subject;
  const parts = partsFor(graph, kinds);
  const anatomy = anatomyOf(graph);
  const layers = kinds.includes('layers') ? openLayers(anatomy).length : 0;
  const cuts = parts.reduce((sum, part) => sum + levelsOf(part).length - 1, layers);
  const scores = await criterion.scoreParts(subject, parts);
  const effects = new Effects(given, await harms.harmOf(graph), cuts);
  const ways: PartWays[] = [];
  for (const lot of lots(parts, compensate)) {
    const compensator = await compensatorFor(subject, compensate, lot);
    for (const part of lot) ways.push(await waysOf(graph, part, { scores, compensate: compensator, effects }));
  }
  const bypassed = layers === 0 ? new Map() : await withoutEach(graph, effects);
  return { graph, scores, items: itemsOf(anatomy, ways, bypassed) };
};
