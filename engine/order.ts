import { type Graph, indexOf, type Node, readsOf } from '../graph/graph.ts';

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

/**
 * The same graph with what no other node reads, the gradients of weights, right behind what it reads itself: the order in which
 * nodes should run.
 */
export const soonest = (graph: Graph): Graph => {
  const { producer, users } = indexOf(graph);
  const turns = new Map<Node, number>();
  const isLeaf = ({ outputs }: Node): boolean => outputs.every((output) => !users.has(output));
  const after = (node: Node): number =>
    Math.max(-1, ...readsOf(node).map((read) => turns.get(producer.get(read) ?? node) ?? -1));
  graph.nodes.forEach((node, i) => void turns.set(node, isLeaf(node) ? after(node) + 0.5 : i));
  return { ...graph, nodes: graph.nodes.toSorted((a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0)) };
};
