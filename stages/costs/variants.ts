import type { Graph } from '../../graph/graph.ts';
import { type Anatomy, anatomyOf, type Part, partsOf } from '../../models/anatomy.ts';
import { levelsOf } from '../prune/budget/levels.ts';
import { cutParts, keepLayers } from '../prune/cut.ts';

const firstUnits = (count: number): readonly number[] => Array.from({ length: count }, (_, unit) => unit);

/** At most so many units of each kind. */
type Caps = Readonly<Partial<Record<Part['kind'], number>>>;

/** The graph with no more units than that in any part: which ones does not matter for time. */
export const capped = (graph: Graph, caps: Caps): Graph => {
  const parts = partsOf(anatomyOf(graph)).filter(({ kind, group }) => group !== undefined && caps[kind] !== undefined);
  return cutParts(
    graph,
    new Map(parts.map((part) => [part, firstUnits(Math.min(part.count, caps[part.kind] ?? part.count))])),
  );
};

const mostOf = (parts: readonly Part[]): number => Math.max(0, ...parts.map(({ count }) => count));

export const partsIn = ({ layers }: Anatomy, kind: 'heads' | 'ffn'): readonly Part[] =>
  layers.flatMap((layer) => layer[kind]).filter(({ group }) => group !== undefined);

/** The most heads or neurons that a layer has. */
export const mostUnits = (anatomy: Anatomy, kind: 'heads' | 'ffn'): number => mostOf(partsIn(anatomy, kind));

/** Shares of the levels that are timed: costs between them lie on lines. */
const TIMED = 5;

/** Some of the levels of a kind below all units, the fewest first. */
export const timedLevels = (anatomy: Anatomy, kind: 'heads' | 'ffn'): readonly number[] => {
  const levels = levelsOf({ kind, count: mostUnits(anatomy, kind) }).slice(0, -1);
  const every = Math.max(1, Math.ceil(levels.length / TIMED));
  return levels.filter((_, i) => i % every === 0);
};

/** Layers that can be left out beside the first. */
export const spareLayers = ({ layers }: Anatomy): readonly number[] =>
  layers.flatMap(({ index, inputWidth, outputWidth }) => (index > 0 && inputWidth === outputWidth ? [index] : []));

/** The graph without any layer that can be left out beside the first. */
export const oneLayer = (graph: Graph): Graph => {
  const anatomy = anatomyOf(graph);
  const spare = new Set(spareLayers(anatomy));
  const kept = anatomy.layers.flatMap(({ index }) => (spare.has(index) ? [] : [index]));
  return keepLayers(graph, anatomy.layers.length, kept).graph;
};

/** The graph with the fewest units of some kinds that a budget may leave, and one layer where others can be left out. */
export const leastGraph = (graph: Graph, kinds: ReadonlySet<string>): Graph => {
  const parts = partsOf(anatomyOf(graph)).filter(
    ({ kind, group }) => group !== undefined && kind !== 'hidden' && kinds.has(kind),
  );
  const fewest = new Map(parts.map((part) => [part, firstUnits(levelsOf(part)[0] ?? part.count)]));
  const cut = cutParts(graph, fewest);
  return kinds.has('layers') ? oneLayer(cut) : cut;
};
