import { type Attention, isActivationProduct } from '../../graph/attention.ts';
import { type CutGroup, followCut, isRefusal } from '../../graph/cut/index.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { looksUpRows, productAt, sitesOf } from '../../graph/sites.ts';
import type { Block } from './blocks.ts';
import { headStartsIn } from './head-starts.ts';
import { type LayerSpan, nodesOf } from './layers.ts';
import { stateInputs } from './states.ts';

export type PartKind = 'heads' | 'ffn' | 'hidden' | 'embedding';

/** Units of one kind that can be removed one by one: the heads of a layer, the channels of a residual stream. */
export interface Part {
  /** Stable and readable: "layer 0 heads", "layer 1 ffn", "layers 0-2 heads" where layers share them, "hidden", "embedding". */
  readonly name: string;
  readonly kind: PartKind;
  /** Layers that lose the units: one, or all that share a weight, a mask or a table along them; none for widths. */
  readonly layers: readonly number[];
  /** Number of units. */
  readonly count: number;
  /** The attention that heads belong to, and whether it asks another stream. */
  readonly attention?: Attention;
  readonly cross?: boolean;
  /** Indices a unit owns in the weights it is coupled with: the head width, or 1. */
  readonly width: number;
  /** What shrinks with each unit; absent where the graph refuses the cut. */
  readonly group?: CutGroup;
  readonly refused?: string;
}

/** Axes that groups touch: those of parts, and those of every group that was followed, so that none is followed twice. */
export interface Followed {
  readonly owned: Set<string>;
  readonly all: Set<string>;
}
export const nothingFollowed = (): Followed => ({ owned: new Set(), all: new Set() });

const keyOf = (value: Value, axis: number): string => `${axis}:${value}`;

/** Remembers a group; says whether it is new and shares nothing with a part that is known. */
const isNew = ({ owned, all }: Followed, group: CutGroup): boolean => {
  const keys = group.axes.map(({ value, axis }) => keyOf(value, axis));
  for (const key of keys) all.add(key);
  return !keys.some((key) => owned.has(key));
};

const own = ({ owned }: Followed, group: CutGroup): void => {
  for (const { value, axis } of group.axes) owned.add(keyOf(value, axis));
};

const unitWidth = (group: CutGroup): number =>
  Math.max(1, ...group.weights.map(({ owner }) => owner.filter((unit) => unit === 0).length));

const partAt = (graph: Graph, value: Value, axis: number, about: Pick<Part, 'name' | 'kind' | 'layers'>): Part => {
  const result = followCut(graph, { value, axis }, about.kind === 'heads' ? stateInputs(graph) : undefined);
  if (!isRefusal(result)) return { ...about, count: result.units, width: unitWidth(result), group: result };
  const dim = graph.types.get(value)?.shape?.at(axis);
  return { ...about, count: typeof dim === 'number' ? dim : 0, width: 1, refused: result.refused };
};

const numbered = (name: string, position: number): string => (position === 0 ? name : `${name} (${position + 1})`);

/** 0, 1, 2 and 4 as `0-2, 4`. */
const ranges = (numbers: readonly number[]): string => {
  const starts = numbers.filter((number) => !numbers.includes(number - 1));
  const ends = numbers.filter((number) => !numbers.includes(number + 1));
  return starts.map((start, i) => (start === ends[i] ? `${start}` : `${start}-${ends[i]}`)).join(', ');
};

/** `layer 0 heads`; `layers 0-2 heads` where they share them. */
const nameIn = (layers: readonly number[], what: string): string =>
  `${layers.length === 1 ? 'layer' : 'layers'} ${ranges(layers)} ${what}`;

/** The layers inside which a group touches anything. */
const layersTouched = (graph: Graph, group: CutGroup, layers: readonly LayerSpan[]): readonly number[] => {
  const { producer } = indexOf(graph);
  const touched = new Set(group.axes.map(({ value }) => producer.get(value)));
  return layers.flatMap((layer) => (nodesOf(layer).some((node) => touched.has(node)) ? [layer.index] : []));
};

/**
 * Heads are what an axis of attention scores counts. Layers that share their weights, or a mask or table with an axis of heads,
 * share their heads: the part belongs to all of them and is listed with the first.
 */
export const headsOf = (
  graph: Graph,
  layer: LayerSpan,
  layers: readonly LayerSpan[],
  followed: Followed,
): readonly Part[] => {
  const parts: Part[] = [];
  for (const { value, axis, attention, cross } of headStartsIn(graph, layer)) {
    // What the heads of one attention are coupled with may be those of the next.
    if (followed.all.has(keyOf(value, axis))) continue;
    const part = partAt(graph, value, axis, { name: '', kind: 'heads', layers: [layer.index] });
    if (part.group !== undefined && isNew(followed, part.group)) own(followed, part.group);
    const shared = part.group === undefined ? part.layers : layersTouched(graph, part.group, layers);
    const name = cross ? nameIn(shared, 'cross heads') : numbered(nameIn(shared, 'heads'), parts.length);
    parts.push({ ...part, attention, cross, name, layers: shared });
  }
  return parts;
};

/** Whether every activation that a group touches lies strictly inside residual blocks: one, or several that share weights. */
const inside = (graph: Graph, blocks: readonly Block[], group: CutGroup): boolean => {
  const { producer } = indexOf(graph);
  return group.axes.every(({ value }) => {
    const node = producer.get(value);
    if (graph.weights.has(value)) return true;
    return node !== undefined && blocks.some(({ nodes }) => nodes.has(node)) && blocks.every((b) => b.output !== value);
  });
};

/** Functions that make neurons of channels: without one between them, two matrices are one of lower rank. */
const activationOps: ReadonlySet<string> = new Set(
  'Relu LeakyRelu PRelu Elu Selu Celu Gelu FastGelu QuickGelu BiasGelu Erf Tanh Sigmoid HardSigmoid HardSwish Mish Softplus Pow Exp Max Clip'.split(
    ' ',
  ),
);

/** Whether a node may be what makes neurons of channels, or a piece of it. */
export const activates = ({ op }: Node): boolean => activationOps.has(op);

const isActivated = (graph: Graph, group: CutGroup): boolean =>
  group.axes.some(({ value }) => (indexOf(graph).users.get(value) ?? []).some(activates));

/** Activations that are multiplied with activations: queries, keys, values and what attention makes of them. */
const attended = (graph: Graph, blocks: readonly Block[]): ReadonlySet<Value> =>
  new Set(
    blocks
      .flatMap(({ nodes }) => [...nodes])
      .filter((node) => isActivationProduct(graph, node))
      .flatMap(({ inputs, outputs }) => [...inputs, ...outputs].filter((one) => one != null)),
  );

/**
 * Neurons join the columns of one weight matrix to the rows of another, with nothing of it outside the blocks. Channels
 * of attention are none, however few heads it has.
 */
const neuronGroup = (
  graph: Graph,
  blocks: readonly Block[],
  product: Value,
  followed: Followed,
): CutGroup | undefined => {
  const last = (graph.types.get(product)?.shape?.length ?? 0) - 1;
  if (followed.all.has(keyOf(product, last))) return undefined;
  const group = followCut(graph, { value: product, axis: -1 });
  if (isRefusal(group) || !isNew(followed, group) || !inside(graph, blocks, group) || !isActivated(graph, group))
    return undefined;
  const mixed = attended(graph, blocks);
  if (group.axes.some((cut) => mixed.has(cut.value))) return undefined;
  const matrices = group.weights.filter(({ value }) => graph.weights.get(value)?.dims.length === 2);
  return matrices.length >= 2 ? group : undefined;
};

/** Feed-forward neurons of one of the layers. */
export const neuronsOf = (
  graph: Graph,
  layer: LayerSpan,
  layers: readonly LayerSpan[],
  followed: Followed,
): readonly Part[] => {
  const blocks = layers.flatMap((span) => span.blocks);
  const groups: CutGroup[] = [];
  for (const node of nodesOf(layer)) {
    const [product] = node.outputs;
    if (productAt(graph, node) === undefined || product === undefined) continue;
    const group = neuronGroup(graph, blocks, product, followed);
    if (group === undefined) continue;
    own(followed, group);
    groups.push(group);
  }
  return groups.map((group, i) => {
    const shared = layersTouched(graph, group, layers);
    const name = numbered(nameIn(shared, 'ffn'), i);
    return { name, kind: 'ffn', layers: shared, count: group.units, width: unitWidth(group), group };
  });
};

/** One part a width of the residual stream: a projected residual starts another one. */
export const hiddenOf = (graph: Graph, layers: readonly LayerSpan[]): readonly Part[] => {
  const parts: Part[] = [];
  for (const layer of layers) {
    for (const block of layer.blocks) {
      const name = parts.length === 0 ? 'hidden' : `hidden from layer ${layer.index}`;
      const known = parts.some(({ group }) => group?.axes.some((cut) => cut.value === block.output));
      if (!known) parts.push(partAt(graph, block.output, -1, { name, kind: 'hidden', layers: [] }));
    }
  }
  return parts;
};

/** The table that token ids look up: not positions, whose ids come from a shape. The longest if there are several. */
export const tokenTable = (graph: Graph): Value | undefined => {
  const { producer } = indexOf(graph);
  const fromInput = (value: Value): boolean => {
    if (graph.inputs.includes(value)) return true;
    const node = producer.get(value);
    const [first] = node?.inputs ?? [];
    return node !== undefined && node.op !== 'Shape' && first != null && fromInput(first);
  };
  const rows = (table: Value): number => graph.weights.get(table)?.dims[0] ?? 0;
  return sitesOf(graph)
    .filter((site) => looksUpRows(site) && graph.weights.get(site.weight)?.dims.length === 2)
    .flatMap(({ weight, node: { inputs } }) => (inputs[1] != null && fromInput(inputs[1]) ? [weight] : []))
    .sort((a, b) => rows(b) - rows(a))[0];
};

/** The embedding width where it is not a width of the residual stream itself. */
export const embeddingOf = (graph: Graph, table: Value, hidden: readonly Part[]): Part | undefined => {
  const shared = hidden.some(({ group }) => group?.weights.some((cut) => cut.value === table && cut.axis === 1));
  return shared ? undefined : partAt(graph, table, 1, { name: 'embedding', kind: 'embedding', layers: [] });
};
