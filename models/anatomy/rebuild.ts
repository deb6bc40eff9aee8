import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Node, Value } from '../../graph/graph.ts';
import type { Tensor } from '../../graph/tensor.ts';

/** The graph with other weights and every node changed by a function, typed anew; what no output needs falls away. */
export const rebuilt = (
  graph: Graph,
  weights: ReadonlyMap<Value, Tensor>,
  change: (node: Node) => Node | readonly Node[],
): Graph => {
  const builder = GraphBuilder.like(graph, { weights });
  for (const node of graph.nodes.flatMap(change)) builder.add(node, (output) => graph.types.get(output));
  return builder.freeze(graph.outputs);
};
