import { isFusedAttention } from '../graph/attention.ts';
import { callOf, recordOf } from '../graph/call.ts';
import { concreteView } from '../graph/concrete.ts';
import { deducedSizes, pixelSizes, type Sizes } from '../graph/deduced-sizes.ts';
import { bindDim, type Dim } from '../graph/dim.ts';
import { type Graph, type Node, opsetOf, type TensorType, type Value } from '../graph/graph.ts';
import { intAttr, noMacs } from '../graph/ops/shared-structure.ts';
import { isLearned, numbersIn } from '../graph/sites.ts';
import { arrayOf, elementCount, type Tensor } from '../graph/tensor.ts';
import { isRefusal } from '../ground/errors.ts';
import { depthsOf } from './anatomy/depth.ts';
import { inFloats } from './anatomy/in-floats.ts';
import { nodesOf } from './anatomy/layers.ts';
import { type LayerUnits, layerUnits } from './anatomy/units.ts';
import { type Anatomy, anatomyOf, type Layer, partsOf as unitParts } from './anatomy.ts';
import type { AnatomySummary, Figures, Inspection, OperatorCount, PassSize } from './inspection.ts';
import type { Model } from './model.ts';

/** The symbols of images, with sizes that the graph takes. */
const imageSizes = (graph: Graph): Sizes => {
  const [first = {}] = pixelSizes(graph);
  if (Object.keys(first).length === 0) return {};
  try {
    const { sizes = {} } = concreteView(graph);
    return Object.fromEntries(Object.keys(first).map((name) => [name, sizes[name] ?? first[name] ?? 1]));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return first;
  }
};

/** Symbols of the inputs bound to texts of `length` tokens: first axis `batch`, others `length`; or to images. */
export const bindingsOf = (graph: Graph, { batch, length }: PassSize): Readonly<Record<string, Dim>> => {
  const bindings: Record<string, Dim> = { ...deducedSizes(graph), ...imageSizes(graph) };
  for (const input of graph.inputs) {
    graph.types.get(input)?.shape?.forEach((dim, axis) => {
      if (typeof dim !== 'number') bindings[dim] ??= axis === 0 ? batch : length;
    });
  }
  return bindings;
};

const bindType = ({ dtype, shape }: TensorType, bindings: Readonly<Record<string, Dim>>): TensorType => ({
  dtype,
  shape: shape?.map((dim) => bindDim(dim, bindings)),
});

const operatorName = ({ domain, op }: Node): string => (domain === '' ? op : `${domain}:${op}`);

/** Multiply-accumulates of every node by name, and the operators that decant has no record of. */
export const macsByNode = (
  graph: Graph,
  bindings: Readonly<Record<string, Dim>>,
): { readonly macs: ReadonlyMap<Node, number>; readonly unknown: readonly string[] } => {
  const known = {
    type: (v: Value) => {
      const type = graph.types.get(v);
      return type === undefined ? undefined : bindType(type, bindings);
    },
    weight: (v: Value) => graph.weights.get(v),
    ints: () => undefined,
  };
  const macs = new Map<Node, number>();
  const unknown = new Set<string>();
  for (const node of graph.nodes) {
    const opset = opsetOf(graph.opsets, node.domain);
    const call = callOf(node, opset, known);
    const record = recordOf(call);
    const count = record?.macs(call);
    // A product of which a shape is not known counts as none, which it is not.
    const open = record !== undefined && record.macs !== noMacs && call.inputs.some((t) => t !== undefined && !t.shape);
    if (typeof count === 'number' && !open) macs.set(node, count);
    else unknown.add(operatorName(node));
  }
  return { macs, unknown: [...unknown].sort() };
};

const countNonzero = (tensor: Tensor): number => {
  if (tensor.dtype === 'int4' || tensor.dtype === 'uint4') {
    let nibbles = 0;
    for (const byte of tensor.bytes.read()) nibbles += Number((byte & 15) !== 0) + Number(byte >> 4 !== 0);
    return nibbles;
  }
  let nonzero = 0;
  for (const element of arrayOf(tensor)) if (Number(element) !== 0) nonzero++;
  return nonzero;
};

const figuresOf = (graph: Graph): { readonly parameters: number; readonly nonzero: number } => {
  let parameters = 0;
  let nonzero = 0;
  for (const [name, tensor] of graph.weights) {
    if (!isLearned(graph, name)) continue;
    const numbers = numbersIn(graph, name);
    parameters += numbers;
    // Of several in a byte none is nothing for certain: that is for the zero point of its block to say.
    nonzero += numbers === elementCount(tensor.dims) ? countNonzero(tensor) : numbers;
  }
  return { parameters, nonzero };
};

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

/** Multiply-accumulates of one text of `length` tokens. */
export const macsOf = (graph: Graph, length: number): number => macsIn(graph, bindingsOf(graph, { batch: 1, length }));

/** Multiply-accumulates of a run in which the symbols of a graph are these sizes. */
export const macsIn = (graph: Graph, sizes: Readonly<Record<string, Dim>>): number =>
  sum(macsByNode(graph, sizes).macs.values());

/** Parameters, non-zero parameters and multiply-accumulates of a model, quantized and fused ones included. */
export const modelFigures = (model: Model, length: number): Figures => ({
  ...figuresOf(model.graph),
  macs: macsOf(model.graph, length),
});

const sharedWith = (anatomy: Anatomy, index: number): readonly number[] => {
  const layers = unitParts(anatomy).flatMap((part) => (part.layers.includes(index) ? part.layers : []));
  return [...new Set(layers)].filter((layer) => layer !== index).sort((x, y) => x - y);
};

/** Attention that is one node says itself how many heads it has. */
const fusedUnits = (graph: Graph, layer: Layer): Pick<LayerUnits, 'heads' | 'kvHeads' | 'headWidth'> => {
  const fused = nodesOf(layer)
    .filter(isFusedAttention)
    .map((node) => headsIn(graph, node));
  return {
    heads: sum(fused.map(({ heads }) => heads)),
    kvHeads: sum(fused.map(({ kvHeads }) => kvHeads)),
    headWidth: Math.max(0, ...fused.map(({ headWidth }) => headWidth)),
  };
};

export const headsIn = (graph: Graph, node: Node) => {
  const [queries] = node.inputs;
  const shape = queries == null ? undefined : graph.types.get(queries)?.shape;
  const [axis, width] = [shape?.length === 4 ? shape[1] : undefined, shape?.at(-1)];
  const heads = intAttr(node, 'num_heads', intAttr(node, 'q_num_heads', typeof axis === 'number' ? axis : 0));
  const kvHeads = intAttr(node, 'kv_num_heads', heads);
  // Keys and values may stand behind the queries in one value.
  const packed = node.inputs.length > 1 && node.inputs[1] === null ? heads + 2 * kvHeads : heads;
  const apart = shape?.length === 4 ? 1 : packed;
  return {
    heads,
    kvHeads,
    headWidth: typeof width === 'number' && heads > 0 ? Math.floor(width / apart) : 0,
  };
};

const layerSummary = (graph: Graph, anatomy: Anatomy, layer: Layer): AnatomySummary['layers'][number] => {
  const { index, inputWidth, outputWidth } = layer;
  const shared = sharedWith(anatomy, index);
  const [units, fused] = [layerUnits(graph, anatomy, layer), fusedUnits(graph, layer)];
  return {
    heads: units.heads + fused.heads,
    kvHeads: units.kvHeads + fused.kvHeads,
    headWidth: Math.max(units.headWidth, fused.headWidth),
    ...(units.crossHeads === 0 ? {} : { crossHeads: units.crossHeads }),
    ffn: units.ffn,
    gated: units.gated,
    inputWidth,
    outputWidth,
    ...(shared.length === 0 ? {} : { sharedWith: shared }),
  };
};

const depthSizes = (graph: Graph): AnatomySummary['parts'] => {
  const { groups, of } = depthsOf(graph);
  const sizes = [...of].map(([name, at]) => ({ at, size: elementCount(graph.weights.get(name)?.dims ?? []) }));
  return groups.map((name, depth) => ({
    name,
    parameters: sum(sizes.flatMap(({ at, size }) => (at.includes(depth) ? [size] : []))),
  }));
};

/** At sizes that are numbers; a graph that fits none is looked at as it is. */
const viewOf = (graph: Graph): Graph => {
  try {
    return concreteView(graph);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return graph;
  }
};

/** Layers, heads and neurons of a graph; undefined where there are none. */
export const anatomySummary = (whole: Graph): AnatomySummary | undefined => {
  const graph = viewOf(inFloats(whole));
  const anatomy = anatomyOf(graph);
  const { vocabulary, embeddingWidth } = anatomy;
  const layers = anatomy.layers.map((layer) => layerSummary(graph, anatomy, layer));
  if (layers.every(({ heads, ffn }) => heads === 0 && ffn === 0)) return undefined;
  return {
    parts: depthSizes(graph),
    layers,
    hidden: anatomy.layers.at(-1)?.outputWidth ?? 0,
    ...(vocabulary === undefined ? {} : { vocabulary }),
    ...(embeddingWidth === undefined ? {} : { embedding: embeddingWidth }),
  };
};

const operatorCounts = (graph: Graph, macs: ReadonlyMap<Node, number>): readonly OperatorCount[] => {
  const counted = new Map<string, OperatorCount>();
  for (const node of graph.nodes) {
    const op = operatorName(node);
    const before = counted.get(op);
    counted.set(op, { op, count: (before?.count ?? 0) + 1, macs: (before?.macs ?? 0) + (macs.get(node) ?? 0) });
  }
  return [...counted.values()].sort((a, b) => b.macs - a.macs || b.count - a.count || (a.op < b.op ? -1 : 1));
};

const bytesByType = (graph: Graph): Record<string, number> => {
  const bytes: Record<string, number> = {};
  for (const { dtype, bytes: data } of graph.weights.values()) bytes[dtype] = (bytes[dtype] ?? 0) + data.length;
  return bytes;
};

const described = (graph: Graph, v: Value): { readonly name: string; readonly type: string } => {
  const type = graph.types.get(v);
  return { name: v, type: type === undefined ? 'unknown' : `${type.dtype}[${type.shape?.join(', ') ?? '...'}]` };
};

/** How a graph is looked at. */
export interface InspectOptions {
  /** Tokens of the text that work is counted for. */
  readonly length: number;
  /** The same graph in other words, in which parameters and layers show. */
  readonly normal?: Graph;
}

/** Everything `decant inspect` shows about a graph, of whatever origin. */
export const inspectGraph = (graph: Graph, options: InspectOptions): Inspection => {
  const { macs, unknown } = macsByNode(graph, bindingsOf(graph, { batch: 1, length: options.length }));
  const byType = bytesByType(graph);
  const { normal = graph } = options;
  const anatomy = anatomySummary(normal);
  return {
    ...figuresOf(normal),
    macs: sum(macs.values()),
    length: options.length,
    inputs: graph.inputs.map((v) => described(graph, v)),
    outputs: graph.outputs.map((v) => described(graph, v)),
    nodes: graph.nodes.length,
    operators: operatorCounts(graph, macs),
    opsets: graph.opsets,
    bytes: sum(Object.values(byType)),
    bytesByType: byType,
    unknown,
    ...(anatomy === undefined ? {} : { anatomy }),
  };
};
