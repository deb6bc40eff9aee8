import { GraphBuilder } from '../../graph/builder.ts';
import { concreteView } from '../../graph/concrete.ts';
import { type CutGroup, followCut, isRefusal } from '../../graph/cut/index.ts';
import { type Graph, indexOf, type Node, type Value, value } from '../../graph/graph.ts';
import type { Cut } from '../../graph/op.ts';
import { takenBy } from '../../graph/ops/compress.ts';
import { intAttr } from '../../graph/ops/shared-structure.ts';
import { foldConstants } from '../../graph/rewrite/index.ts';
import { sitesOfWeight } from '../../graph/sites.ts';
import { numbersOf, tensorOf } from '../../graph/tensor.ts';
import { headStartsIn } from './head-starts.ts';
import { type LayerSpan, layerSpansOf, nodesOf } from './layers.ts';
import { stateInputs } from './states.ts';

/** A value that several layers read along an axis of heads, and nothing else couples. */
type Shared = Pick<Cut, 'value' | 'axis'>;

/** The layer that each node belongs to: that of its block, or the one for which alone it computes. */
const layersByNode = (view: Graph, spans: readonly LayerSpan[]): ReadonlyMap<Node, number> => {
  const layers = new Map(spans.flatMap((span) => nodesOf(span).map((node) => [node, span.index] as const)));
  const { users } = indexOf(view);
  for (const node of view.nodes.toReversed()) {
    const readers = new Set(
      node.outputs.flatMap((output) => (users.get(output) ?? []).map((user) => layers.get(user))),
    );
    const [only] = readers;
    if (!layers.has(node) && readers.size === 1 && only !== undefined) layers.set(node, only);
  }
  return layers;
};

/** A matrix or a bias that layers share is one parameter; a mask, an index or a table over positions is for each to read. */
const isParameter = (view: Graph, name: Value): boolean => {
  const sizes = view.weights.get(name)?.dims.filter((size) => size > 1) ?? [];
  return (
    view.weights.has(name) && (sizes.length < 2 || sitesOfWeight(view, name).some(({ use }) => use.kind === 'linear'))
  );
};

const sharedIn = (view: Graph, group: CutGroup, layerOf: ReadonlyMap<Node, number>): readonly Shared[] => {
  const { producer, users } = indexOf(view);
  return group.axes.filter(({ value: name }) => {
    const made = producer.get(name);
    if (view.inputs.includes(name) || (made !== undefined && layerOf.has(made)) || isParameter(view, name))
      return false;
    const readers = (users.get(name) ?? []).map((node) => layerOf.get(node));
    return new Set(readers.filter((layer) => layer !== undefined)).size > 1;
  });
};

/** What couples heads of several layers though it could be given to each. */
const couplingsIn = (
  view: Graph,
  spans: readonly LayerSpan[],
  layerOf: ReadonlyMap<Node, number>,
): readonly Shared[] => {
  const found = new Map<string, Shared>();
  for (const start of spans.flatMap((span) => headStartsIn(view, span))) {
    const group = followCut(view, start, stateInputs(view));
    if (isRefusal(group)) continue;
    for (const one of sharedIn(view, group, layerOf)) found.set(`${one.axis}:${one.value}`, one);
  }
  return [...found.values()];
};

/** All of an axis, taken index by index: what reads it can lose some while the value keeps them. */
const taken = (
  builder: GraphBuilder,
  { value: from, axis }: Shared,
  name: Value,
  bits: Uint8Array<ArrayBuffer>,
): void => {
  const condition = builder.weight(`${name}/taken`, tensorOf('bool', [bits.length], bits));
  builder.op('Compress', [from, condition], { axis }, name);
};

/** The node that makes a value once more. */
const repeated = (builder: GraphBuilder, node: Node, rename: (output: Value) => Value): void =>
  builder.add({ ...node, name: rename(value(node.name)), outputs: node.outputs.map(rename) });

const isRepeatable = ({ op, outputs }: Node): boolean => op !== 'Constant' && outputs.length === 1;

/** Which indices of an axis a node picks by constants, in their order and each once, as an earlier cut left it. */
const pickedBy = (
  graph: Graph,
  { op, inputs, attrs }: Node,
  { value: from, axis }: Shared,
): readonly number[] | undefined => {
  const indices = op === 'Gather' && inputs[0] === from && inputs[1] != null ? graph.weights.get(inputs[1]) : undefined;
  const own = attrs.axis?.kind === 'int' ? attrs.axis.value : 0;
  if (indices?.dims.length !== 1 || own !== axis) return undefined;
  const numbers = numbersOf(indices);
  return numbers.every((index, i) => index > (numbers[i - 1] ?? -1)) ? numbers : undefined;
};

interface Apart {
  readonly graph: Graph;
  readonly builder: GraphBuilder;
  readonly shared: readonly Shared[];
  readonly made: Set<Value>;
}

/** What a node of a layer reads in the place of a shared value; the value itself where it cannot be given. */
const ownValue = ({ graph, builder, shared, made }: Apart, input: Value | null, layer: number): Value | null => {
  const one = shared.find(({ value: name }) => name === input);
  if (input === null || one === undefined) return input;
  const rename = (output: Value): Value => value(`${output}/layer_${layer}`);
  const [size, source] = [graph.types.get(input)?.shape?.[one.axis], indexOf(graph).producer.get(input)];
  const name = rename(input);
  if (typeof size !== 'number' && (source === undefined || !isRepeatable(source))) return input;
  if (made.has(name)) return name;
  if (typeof size === 'number') taken(builder, one, name, new Uint8Array(size).fill(1));
  else if (source !== undefined) repeated(builder, source, rename);
  made.add(name);
  return name;
};

/** A pick by numbers as a pick by bits, which leaves what it picks from whole. */
const asTaken = ({ graph, builder, shared, made }: Apart, node: Node): boolean => {
  const one = shared.find((candidate) => pickedBy(graph, node, candidate) !== undefined);
  const size = one === undefined ? undefined : graph.types.get(one.value)?.shape?.[one.axis];
  const [output] = node.outputs;
  if (one === undefined || typeof size !== 'number' || output === undefined) return false;
  const bits = new Uint8Array(size);
  for (const index of pickedBy(graph, node, one) ?? []) bits[index] = 1;
  taken(builder, one, output, bits);
  made.add(output);
  return true;
};

/** Gives each layer a value of its own in the place of a shared one. */
const givenApart = (graph: Graph, shared: readonly Shared[], layerOf: ReadonlyMap<Node, number>): Graph => {
  const apart = { graph, builder: GraphBuilder.like(graph), shared, made: new Set<Value>() };
  for (const node of graph.nodes) {
    const layer = layerOf.get(node);
    if (layer !== undefined && asTaken(apart, node)) continue;
    const inputs = layer === undefined ? node.inputs : node.inputs.map((input) => ownValue(apart, input, layer));
    apart.builder.add({ ...node, inputs }, (output) => graph.types.get(output));
  }
  return apart.made.size === 0 ? graph : apart.builder.freeze(graph.outputs);
};

/** Rounds: what a copy is made of may be shared as well. */
const MOST_ROUNDS = 8;

/**
 * The graph with a mask, a table or an index for each layer where several read one along their heads, so that each can lose
 * heads of its own. Outputs stay the same.
 */
export const unshared = (graph: Graph): Graph => {
  let current = graph;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const view = concreteView(current);
    const spans = layerSpansOf(view);
    const layerOf = layersByNode(view, spans);
    const next = givenApart(current, couplingsIn(view, spans, layerOf), layerOf);
    if (next === current) return current;
    current = next;
  }
  return current;
};

/**
 * The graph as it is written: what layers still take as a whole they read again as one, and parts are picked by number, for which
 * every runtime has a kernel.
 */
export const shared = (graph: Graph): Graph => {
  const builder = GraphBuilder.like(graph);
  for (const node of graph.nodes) {
    const [from, condition] = node.inputs;
    const indices = node.op === 'Compress' && condition != null ? takenBy(graph.weights.get(condition)) : undefined;
    const [output] = node.outputs;
    if (from == null || indices === undefined || output === undefined)
      builder.add(node, (name) => graph.types.get(name));
    else if (indices.length === graph.weights.get(value(`${condition}`))?.dims[0])
      builder.op('Identity', [from], {}, output);
    else builder.op('Gather', [from, builder.ints(indices)], { axis: intAttr(node, 'axis', 0) }, output);
  }
  return foldConstants(builder.freeze(graph.outputs));
};
