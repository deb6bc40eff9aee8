import type { Graph, Node } from '../graph/graph.ts';
import { readsOf } from '../graph/graph.ts';

/**
 * The same graph with the nodes that no other reads at its end, the first of them last. ONNX Runtime looks for what the last
 * node needs and runs that first. Of a training step that would be the gradient of the lowest layer: all others, and what
 * they read, would wait in memory until the way down is done.
 */
export const leavesLast = (graph: Graph): Graph => {
  const read = new Set(graph.nodes.flatMap((node) => [...readsOf(node)]));
  const isLeaf = ({ outputs }: Node): boolean => outputs.every((output) => !read.has(output));
  const leaves = graph.nodes.filter(isLeaf).reverse();
  return { ...graph, nodes: [...graph.nodes.filter((node) => !isLeaf(node)), ...leaves] };
};
