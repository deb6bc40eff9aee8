import type { Graph } from '../../graph/graph.ts';
import type { Cut } from '../../graph/op.ts';
import { sitesOfWeight } from '../../graph/sites.ts';
import { type Anatomy, type Layer, type Part, partsOf } from '../anatomy.ts';

/** Units by the number of their layer, as people name them. */
type ByLayer = Readonly<Record<string, readonly number[]>>;

/**
 * Units that can be removed by name: query heads of self-attention and of cross-attention, feed-forward neurons (those of several
 * blocks of a layer counted one block after the other), and whole layers, in the order in which they are computed.
 */
export interface Units {
  readonly heads: ByLayer;
  readonly crossHeads: ByLayer;
  readonly ffn: ByLayer;
  readonly layers: readonly number[];
}

export const noUnits: Units = { heads: {}, crossHeads: {}, ffn: {}, layers: [] };

/** What a layer is made of. */
export interface LayerUnits {
  /** Query heads, heads of keys and values, and the width of one. */
  readonly heads: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  readonly crossHeads: number;
  readonly ffn: number;
  /** Whether neurons multiply two products, one of which gates the other. */
  readonly gated: boolean;
}

/** The unit that owns each index of the axis that a part's cut began at: each query head, each neuron. */
export const startOwner = ({ group }: Part): Int32Array => {
  const start = group?.axes.find(({ value, axis }) => value === group.start.value && axis === group.start.axis);
  return start?.owner ?? new Int32Array();
};

/** The parts of a layer, its own and those that it shares, in the order in which they are computed. */
export const partsIn = (anatomy: Anatomy, layer: number, kind: 'heads' | 'crossHeads' | 'ffn'): readonly Part[] =>
  partsOf(anatomy).filter(
    (part) =>
      part.layers.includes(layer) &&
      (kind === 'ffn'
        ? part.kind === 'ffn'
        : part.kind === 'heads' && (part.cross ?? false) === (kind === 'crossHeads')),
  );

/** Units as they are named: query heads of each, which may be more than can go one by one. */
export const namedCount = (part: Part): number => (part.group === undefined ? part.count : startOwner(part).length);

const isOuter = (graph: Graph, { value, axis }: Cut): boolean =>
  sitesOfWeight(graph, value).some(({ use }) => use.kind === 'linear' && use.outer === axis);

/** Columns of matrices that a unit owns: two where one product gates another, in one matrix or in two. */
const columnsOf = (graph: Graph, { group }: Part): number =>
  (group?.weights ?? [])
    .filter((cut) => isOuter(graph, cut))
    .reduce((sum, { owner }) => sum + owner.filter((unit) => unit === 0).length, 0);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const widthOfHead = (graph: Graph, { attention }: Part): number => {
  const [queries] = attention?.product.inputs ?? [];
  const width = queries == null ? undefined : graph.types.get(queries)?.shape?.at(-1);
  return typeof width === 'number' ? width : 0;
};

/** What a layer of a graph, or of a view of one, is made of. */
export const layerUnits = (graph: Graph, anatomy: Anatomy, { index }: Layer): LayerUnits => {
  const [heads, cross, ffn] = [
    partsIn(anatomy, index, 'heads'),
    partsIn(anatomy, index, 'crossHeads'),
    partsIn(anatomy, index, 'ffn'),
  ];
  return {
    heads: sum(heads.map(namedCount)),
    kvHeads: sum(heads.map(({ count }) => count)),
    headWidth: Math.max(0, ...[...heads, ...cross].map((part) => widthOfHead(graph, part))),
    crossHeads: sum(cross.map(namedCount)),
    ffn: sum(ffn.map(({ count }) => count)),
    gated: ffn.some((part) => columnsOf(graph, part) > 1),
  };
};
