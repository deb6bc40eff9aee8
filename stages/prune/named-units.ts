import { concreteView } from '../../graph/concrete.ts';
import { followCut, isRefusal } from '../../graph/cut/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';
import { stateInputs } from '../../models/anatomy/states.ts';
import { membersOf, namedCount, partsIn, startOwner, type UnitKind, type Units } from '../../models/anatomy/units.ts';
import { type Anatomy, anatomyOf, type Part } from '../../models/anatomy.ts';
import { type Count, targetOf } from './counts.ts';
import { layerMagnitude, partMagnitudes } from './criteria/magnitude.ts';
import { selectTop } from './select.ts';

/** How much of each kind is kept: a count, or a share such as '50%'. */
export interface Kept {
  readonly heads?: Count;
  readonly ffn?: Count;
  readonly layers?: Count;
}

const without = (count: number, kept: readonly number[]): readonly number[] => {
  const stays = new Set(kept);
  return Array.from({ length: count }, (_, unit) => unit).filter((unit) => !stays.has(unit));
};

const expectEnough = (what: string, kept: number, available: number): number => {
  if (kept <= available) return kept;
  throw modelError(`${what}: ${kept} were to be kept, and there are ${available}`);
};

/** Layers that go: those with the least norm, as long as the stream is as wide behind them as before. */
const layersGone = (graph: Graph, { layers }: Anatomy, count: Count | undefined): readonly number[] => {
  if (count === undefined) return [];
  if (layers.length === 0) throw nothingFound('layers');
  const share = typeof count === 'number' ? count : Math.round(targetOf(count, layers.length).exact ?? 0);
  const kept = Math.max(1, expectEnough('layers', share, layers.length));
  const open = layers.filter((layer) => layer.inputWidth === layer.outputWidth);
  if (open.length < layers.length - kept) {
    throw modelError(
      `layers: ${kept} of ${layers.length} were to be kept, but ${layers.length - open.length} change the width of the stream and have to stay`,
    );
  }
  const scores = Float64Array.from(open, (layer) => layerMagnitude(graph, layer));
  const stay = selectTop(scores, open.length - (layers.length - kept));
  return without(open.length, stay).map((at) => open[at]?.index ?? at);
};

const nothingFound = (what: string): Error =>
  modelError(`${what}: the graph has none that decant can find; see decant inspect for what it is made of`);

/** Scores of the query heads of each group, one group after the other; undefined where they cannot go one by one. */
const rankScores = (graph: Graph, part: Part, size: number): readonly Float64Array[] | undefined => {
  const { group } = part;
  if (group === undefined) return undefined;
  const ranks = startOwner(part).map((_, head) => head % size);
  const byRank = followCut(graph, { ...group.start, owner: ranks }, stateInputs(graph));
  if (isRefusal(byRank) || byRank.units !== size) return undefined;
  const weights = byRank.weights.flatMap(({ value, axis, owner }) => {
    const groups = group.weights.find((cut) => cut.value === value && cut.axis === axis)?.owner;
    const both = groups && owner.map((rank, i) => (rank < 0 ? -1 : (groups[i] ?? -1) * size + rank));
    return both === undefined ? [] : [{ value, axis, owner: both }];
  });
  const scores = partMagnitudes(graph, { group: { ...group, weights }, count: part.count * size });
  return Array.from({ length: part.count }, (_, unit) => scores.slice(unit * size, (unit + 1) * size));
};

/** How many units go as a whole, or how many of the members of each. */
type Goal = { readonly units: number } | { readonly members: number };

const goalOf = (part: Part, count: Count, size: number): Goal => {
  if (typeof count !== 'number') {
    return part.count > 1 || size === 1
      ? { units: targetOf(count, part.count).kept }
      : { members: targetOf(count, size).kept };
  }
  const kept = expectEnough(part.name, count, part.count * size);
  if (kept % size === 0) return { units: kept / size };
  if (kept % part.count === 0) return { members: kept / part.count };
  throw modelError(
    `${part.name}: ${kept} of ${part.count * size} cannot be kept: ${size} at a time share their keys and values; keep a multiple of ${size} or of ${part.count}`,
  );
};

/** Names of the units that go of one part, in its own numbers. */
const goneOf = (graph: Graph, part: Part, count: Count): readonly number[] => {
  if (part.group === undefined) throw modelError(`${part.name} cannot be cut: ${part.refused}`);
  const members = membersOf(part);
  const size = namedCount(part) / part.count;
  const goal = goalOf(part, count, size);
  if ('units' in goal)
    return without(part.count, selectTop(partMagnitudes(graph, part), goal.units)).flatMap(
      (unit) => members[unit] ?? [],
    );
  const scores = goal.members === size ? [] : rankScores(graph, part, size);
  if (scores === undefined) throw modelError(`${part.name}: heads that share their keys and values go together`);
  return scores.flatMap((own, unit) =>
    without(size, selectTop(own, goal.members)).map((rank) => members[unit]?.[rank] ?? rank),
  );
};

/** What is picked of each part of some layers; numbers of a layer go on from one part to the next. */
export const unitsByLayer = (
  anatomy: Anatomy,
  kind: UnitKind,
  layers: readonly number[],
  pick: (part: Part) => readonly number[],
): Units[UnitKind] => {
  const picked = new Map<Part, readonly number[]>();
  const byLayer: Record<string, readonly number[]> = {};
  for (const layer of layers) {
    let first = 0;
    const own: number[] = [];
    for (const part of partsIn(anatomy, layer, kind)) {
      const known = picked.get(part) ?? pick(part);
      picked.set(part, known);
      for (const number of known) own.push(first + number);
      first += namedCount(part);
    }
    if (own.length > 0) byLayer[layer] = own.sort((a, b) => a - b);
  }
  return byLayer;
};

const expectAny = (what: string, anatomy: Anatomy, kinds: readonly UnitKind[]): void => {
  const found = anatomy.layers.some(({ index }) => kinds.some((kind) => partsIn(anatomy, index, kind).length > 0));
  if (!found) throw nothingFound(what);
};

/**
 * The units to remove so that so much is kept of each layer: those whose weights are smallest (`magnitude`), without data. Heads
 * that share their keys and values go together.
 */
export const leastUnits = (graph: Graph, { heads, ffn, layers }: Kept): Units => {
  const view = concreteView(graph);
  const anatomy = anatomyOf(view);
  if (heads !== undefined) expectAny('heads', anatomy, ['heads', 'crossHeads']);
  if (ffn !== undefined) expectAny('ffn', anatomy, ['ffn']);
  const gone = layersGone(view, anatomy, layers);
  const staying = anatomy.layers.map(({ index }) => index).filter((index) => !gone.includes(index));
  const goneIn = (kind: UnitKind, count: Count | undefined): Units[UnitKind] =>
    count === undefined ? {} : unitsByLayer(anatomy, kind, staying, (part) => goneOf(view, part, count));
  return {
    heads: goneIn('heads', heads),
    crossHeads: goneIn('crossHeads', heads),
    ffn: goneIn('ffn', ffn),
    layers: gone,
  };
};
