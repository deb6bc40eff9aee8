import { recordOf } from '../graph/call.ts';
import { callsOf } from '../graph/cut/calls.ts';
import { type Graph, indexOf, type Node, readsOf, type Value, value } from '../graph/graph.ts';

/** The nodes that a value needs. */
const nodesBehind = (graph: Graph, result: Value): ReadonlySet<Node> => {
  const needed = new Set<Value>([result]);
  const behind = new Set<Node>();
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    behind.add(node);
    for (const read of readsOf(node)) needed.add(read);
  }
  return behind;
};

/** The same node under other names, reading and writing what `names` says. */
const renamed = (node: Node, names: ReadonlyMap<Value, Value>, name = node.name): Node => ({
  ...node,
  name,
  inputs: node.inputs.map((input) => (input === null ? null : (names.get(input) ?? input))),
  outputs: node.outputs.map((output) => names.get(output) ?? output),
});

/** Copies of nodes whose results the backward pass can have again, and the names that these results get. */
interface Copies {
  readonly nodes: readonly Node[];
  readonly names: ReadonlyMap<Value, Value>;
}

/**
 * A node is copied where it costs a pass over memory (no product) and all that it reads is there in the backward pass
 * anyway: fed, kept for a gradient, or copied itself. So each copy spares one value that had to be kept.
 */
const copiesOf = (graph: Graph, forward: ReadonlySet<Node>): Copies => {
  const { users } = indexOf(graph);
  const calls = callsOf(graph);
  const isPass = (node: Node): boolean => {
    const call = calls(node);
    return recordOf(call)?.macs(call) === 0;
  };
  const isReadLater = (v: Value): boolean => users.get(v)?.some((node) => !forward.has(node)) === true;
  const there = new Set<Value>([...graph.inputs, ...graph.weights.keys()]);
  const names = new Map<Value, Value>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    if (!forward.has(node) || !node.outputs.some(isReadLater)) continue;
    if (isPass(node) && readsOf(node).every((read) => there.has(read))) {
      for (const output of node.outputs) names.set(output, value(`${output}/again`));
      nodes.push(renamed(node, names, `${node.name}/again`));
    }
    for (const output of node.outputs.filter(isReadLater)) there.add(output);
  }
  return { nodes, names };
};

/**
 * The same step with less to keep between its passes: what the backward pass reads of the forward pass, and what a pass
 * over memory brings again, is computed again where it is read. Equal operators on equal inputs give equal bits. The
 * runtime must not merge what is equal (`memory: 'recomputed'`).
 *
 * Chen et al., Training Deep Nets with Sublinear Memory Cost, arXiv 1604.06174, forget whole layers and pay for products.
 */
export const recomputed = (graph: Graph, loss: Value): Graph => {
  const forward = nodesBehind(graph, loss);
  const copies = copiesOf(graph, forward);
  const types = new Map(graph.types);
  for (const [name, again] of copies.names) {
    const type = graph.types.get(name);
    if (type !== undefined) types.set(again, type);
  }
  const first = graph.nodes.filter((node) => forward.has(node));
  const later = graph.nodes.filter((node) => !forward.has(node)).map((node) => renamed(node, copies.names));
  return { ...graph, nodes: [...first, ...copies.nodes, ...later], types };
};
