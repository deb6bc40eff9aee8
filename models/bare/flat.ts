import { callOf, inferNode, type Known } from '../../graph/call.ts';
import type { Dim } from '../../graph/dim.ts';
import { type Graph, type Node, opsetOf, readingAs, type TensorType, type Value, value } from '../../graph/graph.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { isRefusal } from '../../ground/errors.ts';

interface Flat {
  readonly nodes: Node[];
  readonly weights: Map<Value, Tensor>;
  readonly types: Map<Value, TensorType>;
}

/** Names of a body in the graph around it; what it captures keeps its name. */
type Rename = (name: Value) => Value;

const branchesOf = (node: Node): readonly (readonly [string, Graph])[] =>
  node.op !== 'If' || node.domain !== ''
    ? []
    : Object.entries(node.attrs).flatMap(([name, attribute]) =>
        attribute.kind === 'graph' ? [[name, attribute.value] as const] : [],
      );

/** The value that a branch gives, or the other one: what is done with it is asked, not which of them it is. */
const choice = (condition: Value | null, output: Value, ways: readonly Value[]): Node => ({
  ...{ domain: '', op: 'Where', name: output, inputs: [condition, ...ways], outputs: [output], attrs: {} },
});

const renamed = (node: Node, rename: Rename): Node => ({
  ...readingAs(node, rename),
  outputs: node.outputs.map(rename),
});

const spread = (graph: Graph, flat: Flat, rename: Rename): void => {
  for (const [name, tensor] of graph.weights) flat.weights.set(rename(name), tensor);
  for (const [name, type] of graph.types) flat.types.set(rename(name), type);
  for (const given of graph.nodes) {
    const node = renamed(given, rename);
    const branches = branchesOf(given).map(([attribute, body]) => spreadBranch(node, attribute, body, flat, rename));
    if (branches.length === 0) flat.nodes.push(node);
    node.outputs.forEach((output, i) => {
      const ways = branches.flatMap((outputs) => outputs[i] ?? []);
      if (ways.length > 0) flat.nodes.push(choice(node.inputs[0] ?? null, output, ways));
    });
  }
};

/** Two branches have hundreds of names in common: each goes under its own. */
const spreadBranch = (node: Node, attribute: string, body: Graph, flat: Flat, around: Rename): readonly Value[] => {
  const own = new Set<Value>([...body.weights.keys(), ...body.nodes.flatMap(({ outputs }) => outputs)]);
  const rename: Rename = (name) => (own.has(name) ? value(`${node.outputs[0]}/${attribute}/${name}`) : around(name));
  spread(body, flat, rename);
  return body.outputs.map(rename);
};

/** What inference makes of one node; nothing where it does not fit together, which is for others to tell. */
const inferred = (node: Node, graph: Graph, known: Known) => {
  try {
    return inferNode(callOf(node, opsetOf(graph.opsets, node.domain), known)) ?? [];
  } catch (error) {
    if (isRefusal(error) || error instanceof RangeError) return [];
    throw error;
  }
};

const typed = (graph: Graph): Graph => {
  const types = new Map(graph.types);
  const ints = new Map<Value, readonly Dim[]>();
  const known: Known = {
    type: (name) => types.get(name),
    weight: (name) => graph.weights.get(name),
    ints: (name) => ints.get(name),
  };
  for (const [name, { dtype, dims }] of graph.weights) types.set(name, { dtype, shape: dims });
  for (const node of graph.nodes) {
    for (const [i, type] of inferred(node, graph, known).entries()) {
      const output = node.outputs[i];
      if (output === undefined || output === '') continue;
      types.set(output, { dtype: type.dtype, shape: type.shape ?? types.get(output)?.shape });
      if (type.ints !== undefined) ints.set(output, type.ints);
    }
  }
  return { ...graph, types };
};

/** A graph with both branches of every If beside each other: what inputs reach can be followed through it. It is not run. */
export const flattened = (graph: Graph): Graph => {
  if (!graph.nodes.some((node) => branchesOf(node).length > 0)) return graph;
  const flat: Flat = { nodes: [], weights: new Map(), types: new Map() };
  spread(graph, flat, (name) => name);
  return typed({ ...graph, ...flat });
};
