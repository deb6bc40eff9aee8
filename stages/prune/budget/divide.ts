import type { Graph } from '../../../graph/graph.ts';
import { anatomyOf, type Part } from '../../../models/anatomy.ts';
import { type Assigned, filled, harmOf, pathOf, standing, stepsWithin } from '../../knapsack.ts';
import { compensated } from '../compensation/index.ts';
import { cutParts, keepLayers } from '../cut.ts';
import { chosenIn, type Dividing, type Measured } from './measured.ts';
import type { Way } from './ways.ts';

/** How a budget was divided: what is left of each part that stays, and which layers do. */
export interface Division {
  readonly left: ReadonlyMap<Part, number>;
  readonly layers: readonly number[];
  /** By the sum of what each cut harms alone. */
  readonly harm: number;
}

const wayAt = (rungs: readonly Way[], at: number | undefined): Way['left'] => rungs[at ?? 0]?.left ?? new Map();

const divisionOf = ({ graph, items }: Measured, assigned: Assigned<string>): Division => {
  const ways = items.map(({ name, layers, rungs }) => ({ layers, left: wayAt(rungs, assigned.get(name)) }));
  const gone = new Set(ways.flatMap(({ layers, left }) => (left === 'gone' ? layers : [])));
  return {
    left: new Map(ways.flatMap(({ left }) => (left === 'gone' ? [] : [...left]))),
    layers: anatomyOf(graph).layers.flatMap(({ index }) => (gone.has(index) ? [] : [index])),
    harm: harmOf(items, assigned),
  };
};

/** The least that everything can take, by the sum of what cuts save. */
const leastOf = ({ graph, items }: Measured, { meter }: Pick<Dividing, 'meter'>): number =>
  items.reduce((sum, { takes }) => sum + takes, meter.count(graph));

/** Divides so much over all layers: what is left harms as little as can be told from single cuts. */
const divided = (found: Measured, given: Pick<Dividing, 'meter'>, amount: number): Division => {
  const { items } = found;
  const budget = amount - leastOf(found, given);
  const assigned = standing(items, stepsWithin(pathOf(items), budget));
  return divisionOf(found, filled(items, assigned, budget));
};

const shrunk = (graph: Graph, found: Measured, { left, layers }: Division): Graph => {
  const count = anatomyOf(graph).layers.length;
  return keepLayers(cutParts(graph, chosenIn(found.scores, left)), count, layers).graph;
};

/** The graph cut so, without a change of what stays: enough to count what it takes. */
export const bareCut = (found: Measured, division: Division): Graph => shrunk(found.graph, found, division);

/** The graph cut so, where what stays makes up for what goes. */
export const cutBy = async (found: Measured, division: Division, given: Dividing): Promise<Graph> => {
  const { subject, compensate } = given;
  const chosen = chosenIn(found.scores, division.left);
  return shrunk(await compensated({ ...subject, graph: found.graph }, compensate, chosen), found, division);
};

/** Tries at what is counted of whole graphs: cuts save a little more or less together than alone. */
const TRIES = 6;

/** Divides so that what is counted of the whole graph keeps to the amount. */
export const dividedWithin = (found: Measured, given: Pick<Dividing, 'meter'>, amount: number): Division => {
  const { meter } = given;
  let allowed = amount;
  let division = divided(found, given, allowed);
  for (let tries = 0; tries < TRIES; tries++) {
    const over = meter.count(bareCut(found, division)) - amount;
    if (over <= 0) return division;
    allowed -= over;
    division = divided(found, given, allowed);
  }
  return divided(found, given, leastOf(found, given));
};
