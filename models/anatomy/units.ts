import { type Graph, indexOf, type Value } from '../../graph/graph.ts';
import type { Cut } from '../../graph/op.ts';
import { productAt, sitesOfWeight } from '../../graph/sites.ts';
import { type Anatomy, type Layer, type Part, partsOf } from '../anatomy.ts';
import { isCount } from './blocks.ts';
import { nodesOf } from './layers.ts';

export type UnitKind = 'heads' | 'crossHeads' | 'ffn';

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
export const partsIn = (anatomy: Anatomy, layer: number, kind: UnitKind): readonly Part[] =>
  partsOf(anatomy).filter(
    (part) =>
      part.layers.includes(layer) &&
      (kind === 'ffn'
        ? part.kind === 'ffn'
        : part.kind === 'heads' && (part.cross ?? false) === (kind === 'crossHeads')),
  );

/** The unit that each thing which has a name of its own belongs to: of heads several may go together, neurons go one by one. */
const namedUnits = (part: Part): Int32Array =>
  part.kind === 'heads' && part.group !== undefined
    ? startOwner(part)
    : Int32Array.from({ length: part.count }, (_, unit) => unit);

/** Names of the units of a part, by the unit that they go with. */
export const membersOf = (part: Part): readonly (readonly number[])[] => {
  const owner = namedUnits(part);
  return Array.from({ length: part.count }, (_, unit) =>
    Array.from(owner.keys()).filter((index) => owner[index] === unit),
  );
};

/** Units all of whose members go. */
export const goneUnits = (part: Part, gone: ReadonlySet<number>): ReadonlySet<number> =>
  new Set(membersOf(part).flatMap((own, unit) => (own.every((one) => gone.has(one)) ? [unit] : [])));

/** How many of a part can be named. */
export const namedCount = (part: Part): number => namedUnits(part).length;

const isOuter = (graph: Graph, { value, axis }: Cut): boolean =>
  sitesOfWeight(graph, value).some(({ use }) => use.kind === 'linear' && use.outer === axis);

/** Columns of a layer's matrices that a unit owns: two where one product gates another, in one matrix or in two. */
const columnsIn = (graph: Graph, layer: Layer, { group }: Part): number => {
  const own = new Set(nodesOf(layer));
  const isOwn = ({ value }: Cut): boolean => sitesOfWeight(graph, value).some(({ node }) => own.has(node));
  return (group?.weights ?? [])
    .filter((cut) => isOuter(graph, cut) && isOwn(cut))
    .reduce((sum, { owner }) => sum + owner.filter((unit) => unit === 0).length, 0);
};

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const widthOfHead = (graph: Graph, { attention }: Part): number => {
  const [queries] = attention?.product.inputs ?? [];
  const width = queries == null ? undefined : graph.types.get(queries)?.shape?.at(-1);
  return typeof width === 'number' ? width : 0;
};

/** A value on the way to the product that it is made of, and the width of the piece of that which it was taken from. */
interface Step {
  readonly at: Value;
  readonly piece?: number;
}

/** The width of the nearest product that a value is made of, or of the piece of it where queries, keys and values are one. */
const productWidth = (graph: Graph, from: Value): number | undefined => {
  const { producer } = indexOf(graph);
  const shapeOf = (v: Value) => graph.types.get(v)?.shape;
  const seen = new Set<Value>();
  for (const open: Step[] = [{ at: from }]; ; ) {
    const step = open.shift();
    if (step === undefined) return undefined;
    const { at, piece } = step;
    const node = seen.has(at) || isCount(graph, at) ? undefined : producer.get(at);
    seen.add(at);
    const width = shapeOf(at)?.at(-1);
    if (node !== undefined && productAt(graph, node) !== undefined && typeof width === 'number') return piece ?? width;
    const own = node !== undefined && node.outputs.length > 1 && typeof width === 'number' ? width : piece;
    for (const input of node?.inputs ?? [])
      if (input !== null)
        open.push(
          shapeOf(input)?.length === shapeOf(at)?.length && own !== undefined
            ? { at: input, piece: own }
            : { at: input },
        );
  }
};

/**
 * Heads of keys and values: as many as go one by one where groups of query heads share them; where keys are repeated for queries
 * that can still go alone (one head of keys for all of them), as their projection is wide.
 */
const keyHeads = (graph: Graph, part: Part): number => {
  const [all, keys] = [namedCount(part), part.attention?.product.inputs[1]];
  if (part.count < all || keys == null) return part.count;
  const heads = (productWidth(graph, keys) ?? 0) / widthOfHead(graph, part);
  return Number.isInteger(heads) && heads > 0 && heads < all ? heads : part.count;
};

/** What a layer of a graph, or of a view of one, is made of. */
export const layerUnits = (graph: Graph, anatomy: Anatomy, layer: Layer): LayerUnits => {
  const { index } = layer;
  const [heads, cross, ffn] = [
    partsIn(anatomy, index, 'heads'),
    partsIn(anatomy, index, 'crossHeads'),
    partsIn(anatomy, index, 'ffn'),
  ];
  return {
    heads: sum(heads.map(namedCount)),
    kvHeads: sum(heads.map((part) => keyHeads(graph, part))),
    headWidth: Math.max(0, ...[...heads, ...cross].map((part) => widthOfHead(graph, part))),
    crossHeads: sum(cross.map(namedCount)),
    ffn: sum(ffn.map(({ count }) => count)),
    gated: ffn.some((part) => columnsIn(graph, layer, part) > 1),
  };
};
