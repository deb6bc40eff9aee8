import { concreteView } from '../../graph/concrete.ts';
import { applyCuts, type CutGroup, followCut, isRefusal } from '../../graph/cut/index.ts';
import { sliceTensor } from '../../graph/cut/slice.ts';
import type { Graph } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';
import { listed } from '../../ground/names.ts';
import { type Anatomy, anatomyOf, bypassLayer, type Part, partsOf } from '../anatomy.ts';
import { stateInputs } from './states.ts';
import { membersOf, namedCount, partsIn, startOwner, type UnitKind, type Units } from './units.ts';

/** One part with the units of it that go, as people number them. */
interface Asked {
  readonly part: Part;
  readonly gone: ReadonlySet<number>;
}

const ascending = (numbers: Iterable<number>): readonly number[] => [...numbers].sort((a, b) => a - b);

/** What is asked of each part of a layer: numbers go on from one part to the next. */
const askedIn = (anatomy: Anatomy, kind: UnitKind, layer: number, numbers: readonly number[]): readonly Asked[] => {
  const parts = partsIn(anatomy, layer, kind);
  const all = parts.reduce((sum, part) => sum + namedCount(part), 0);
  const wrong = numbers.find((number) => !Number.isInteger(number) || number < 0 || number >= all);
  if (wrong !== undefined) {
    throw modelError(
      all === 0
        ? `${kind}: layer ${layer} has none; it has ${layer < anatomy.layers.length ? 'other units' : `no layer ${layer}, the last is ${anatomy.layers.length - 1}`}`
        : `${kind}: layer ${layer} has no number ${wrong}; expected 0 to ${all - 1}`,
    );
  }
  let start = 0;
  return parts.map((part) => {
    const first = start;
    start += namedCount(part);
    return { part, gone: new Set(numbers.filter((n) => n >= first && n < start).map((n) => n - first)) };
  });
};

/** Layers that share a part lose the same of it, unless they go as a whole. */
const agreed = (
  kind: UnitKind,
  asked: readonly (Asked & { readonly layer: number })[],
  going: readonly number[],
): readonly Asked[] => {
  const parts = new Map<Part, Asked & { readonly layer: number }>();
  const named = new Map<Part, number[]>();
  for (const one of asked) {
    const before = parts.get(one.part);
    if (before !== undefined && ascending(before.gone).join() !== ascending(one.gone).join())
      throw modelError(`${kind}: layers ${before.layer} and ${one.layer} share them; name the same ones for both`);
    parts.set(one.part, one);
    named.set(one.part, [...(named.get(one.part) ?? []), one.layer]);
  }
  for (const [part, layers] of named) {
    const missing = part.layers.filter((layer) => !layers.includes(layer) && !going.includes(layer));
    if (missing.length > 0 && (parts.get(part)?.gone.size ?? 0) > 0)
      throw modelError(
        `${kind}: layers ${listed(part.layers.map(String), 12)} share them; name the same ones for each of these layers`,
      );
  }
  return [...parts.values()].filter(({ gone }) => gone.size > 0);
};

const expectGroup = ({ name, group, refused }: Part): CutGroup => {
  if (group !== undefined) return group;
  throw modelError(`${name} cannot be cut: ${refused}`);
};

interface Grouped {
  /** Units all of whose members go. */
  readonly whole: ReadonlySet<number>;
  /** Members that go of the others, unit by unit. */
  readonly some: ReadonlyMap<number, readonly number[]>;
}

const groupedBy = ({ part, gone }: Asked): Grouped => {
  const whole = new Set<number>();
  const some = new Map<number, readonly number[]>();
  for (const [unit, own] of membersOf(part).entries()) {
    const left = own.filter((index) => gone.has(index));
    if (left.length === own.length) whole.add(unit);
    else some.set(unit, left);
  }
  return { whole, some };
};

const without = (group: CutGroup, gone: ReadonlySet<number>): readonly number[] =>
  Array.from({ length: group.units }, (_, unit) => unit).filter((unit) => !gone.has(unit));

/** The heads of one group of queries next to each other, each group alike: what its keys are repeated for. */
const evenGroups = (part: Part): number | undefined => {
  const owner = startOwner(part);
  const size = owner.length / part.count;
  const even = Number.isInteger(size) && owner.every((unit, head) => unit === Math.floor(head / size));
  return even ? size : undefined;
};

/** Why single heads of groups stay: what they would have to go with. */
const together = (part: Part): Error => {
  const groups = membersOf(part).map((heads) => `(${heads.join(', ')})`);
  return modelError(
    `${part.name}: heads ${groups.join(', ')} share their keys and values: name whole groups, or as many of each group`,
  );
};

/**
 * Weights with the query heads of each group put in another order: those that go come last. Keys and values are the same for all
 * heads of a group, so the outputs stay.
 */
const reordered = (
  graph: Graph,
  byGroup: CutGroup,
  byRank: CutGroup,
  order: ReadonlyMap<number, readonly number[]>,
): Graph => {
  const weights = new Map(graph.weights);
  for (const { value, axis, owner: ranks } of byRank.weights) {
    const groups = byGroup.weights.find((cut) => cut.value === value && cut.axis === axis)?.owner;
    const tensor = weights.get(value);
    if (tensor === undefined || groups === undefined) continue;
    const places = new Map<string, number[]>();
    for (const [index, rank] of ranks.entries()) {
      const key = `${groups[index]}:${rank}`;
      places.set(key, [...(places.get(key) ?? []), index]);
    }
    const from = Int32Array.from(ranks, (_, index) => index);
    for (const [key, indices] of places) {
      const [unit = 0, rank = 0] = key.split(':').map(Number);
      const source = rank < 0 ? indices : (places.get(`${unit}:${order.get(unit)?.[rank] ?? rank}`) ?? indices);
      for (const [i, index] of indices.entries()) from[index] = source[i] ?? index;
    }
    weights.set(
      value,
      sliceTensor(
        tensor,
        tensor.dims.map((_, at) => (at === axis ? from : undefined)),
      ),
    );
  }
  return { ...graph, weights };
};

/** As many query heads of each group, with keys and values for the others still there. */
const withoutRanks = (graph: Graph, view: Graph, part: Part, some: Grouped['some']): Graph => {
  const size = evenGroups(part);
  const counts = new Set([...some.values()].map((heads) => heads.length));
  const [count = 0] = counts;
  if (counts.size > 1 || size === undefined) throw together(part);
  const group = expectGroup(part);
  const owner = Int32Array.from(startOwner(part), (_, head) => head % size);
  const byRank = followCut(view, { ...group.start, owner }, stateInputs(view));
  if (isRefusal(byRank) || byRank.units !== size) throw together(part);
  const order = new Map(
    [...some].map(([unit, heads]) => {
      const gone = heads.map((head) => head % size);
      const stay = Array.from({ length: size }, (_, rank) => rank).filter((rank) => !gone.includes(rank));
      return [unit, [...stay, ...gone]] as const;
    }),
  );
  const kept = Array.from({ length: size - count }, (_, rank) => rank);
  return applyCuts(reordered(graph, group, byRank, order), [byRank], [kept], view);
};

/** Whether of some group only some heads go. */
const isPartial = (asked: Asked): boolean => [...groupedBy(asked).some.values()].some((heads) => heads.length > 0);

const viewed = (graph: Graph): readonly [Graph, Anatomy] => {
  const view = concreteView(graph);
  return [view, anatomyOf(view)];
};

/** Some heads of each group, in the graph as other cuts left it. */
const withoutSome = (graph: Graph, { part: before, gone }: Asked): Graph => {
  const { start } = expectGroup(before);
  const [view, anatomy] = viewed(graph);
  const part = partsOf(anatomy).find(
    ({ group }) => group?.start.value === start.value && group.start.axis === start.axis,
  );
  if (part === undefined) throw new Error(`the heads at '${start.value}' are gone`);
  const { whole, some } = groupedBy({ part, gone });
  if (whole.size > 0) throw together(part);
  return withoutRanks(graph, view, part, some);
};

const numbered = (byLayer: Units[UnitKind]): readonly (readonly [number, readonly number[]])[] =>
  Object.entries(byLayer).map(([layer, numbers]) => [Number(layer), numbers]);

/** The graph without some layers, from the last to the first so that numbers stay what they are. */
const withoutLayers = (graph: Graph, layers: readonly number[]): Graph => {
  let current = graph;
  for (const number of ascending(layers).toReversed()) {
    const [view, { layers: own }] = viewed(current);
    const layer = own[number];
    if (layer === undefined) throw modelError(`layers: there is no layer ${number}; expected 0 to ${own.length - 1}`);
    current = bypassLayer(current, layer, view);
  }
  return current;
};

/**
 * The graph without units that are named. Every coupled weight, constant, computed shape and state follows; nothing else changes.
 * Throws a modelError where a unit does not exist, or cannot go alone.
 */
export const withoutUnits = (graph: Graph, units: Units): Graph => {
  const [view, anatomy] = viewed(graph);
  const names = (['heads', 'crossHeads', 'ffn'] as const).flatMap((kind) =>
    agreed(
      kind,
      numbered(units[kind])
        .filter(([layer]) => !units.layers.includes(layer))
        .flatMap(([layer, numbers]) => askedIn(anatomy, kind, layer, numbers).map((asked) => ({ ...asked, layer }))),
      units.layers,
    ),
  );
  const whole = names.filter((asked) => !isPartial(asked));
  let current = applyCuts(
    graph,
    whole.map(({ part }) => expectGroup(part)),
    whole.map((asked) => without(expectGroup(asked.part), groupedBy(asked).whole)),
    view,
  );
  for (const asked of names.filter(isPartial)) current = withoutSome(current, asked);
  return withoutLayers(current, units.layers);
};
