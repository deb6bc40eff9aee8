import { callOf, inferNode, type Known } from '../call.ts';
import type { Dim } from '../dim.ts';
import { type Graph, type Node, opsetOf, type Value } from '../graph.ts';
import type { Call } from '../op.ts';

const cache = new WeakMap<Graph, (node: Node) => Call>();

/** Calls of a finished graph's nodes, with the small integers that shape arithmetic needs inferred once. */
export const callsOf = (graph: Graph): ((node: Node) => Call) => {
  const found = cache.get(graph);
  if (found !== undefined) return found;
  const ints = new Map<Value, readonly Dim[]>();
  const known: Known = {
    type: (value) => graph.types.get(value),
    weight: (value) => graph.weights.get(value),
    ints: (value) => ints.get(value),
  };
  const call = (node: Node): Call => callOf(node, opsetOf(graph.opsets, node.domain), known);
  for (const node of graph.nodes) {
    const inferred = inferNode(call(node));
    node.outputs.forEach((output, i) => {
      const elements = inferred?.[i]?.ints;
      if (elements !== undefined) ints.set(output, elements);
    });
  }
  cache.set(graph, call);
  return call;
};
