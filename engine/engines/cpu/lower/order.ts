import { type Graph, indexOf, type Node, readsOf } from '../../../../graph/graph.ts';

/**
 * The same graph in the order in which ONNX Runtime would list it if it went through it from the end. It begins at the last node
 * that nobody reads, and of what a node needs it runs first what stands last: listed like this, gradients are made in the order
 * of `graph`, and what is computed again for one of them only then.
 */
export const lastFirst = (graph: Graph): Graph => {
  const { producer } = indexOf(graph);
  const turns = new Map(graph.nodes.map((node, i) => [node, i]));
  const needs = (node: Node): readonly Node[] =>
    [...new Set(readsOf(node).flatMap((read) => producer.get(read) ?? []))].toSorted(
      (a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0),
    );
  const listed = new Set<Node>();
  const entered = new Set<Node>();
  const stack = [...graph.nodes];
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const isDone = entered.has(node);
    entered.add(node);
    if (isDone) listed.add(node);
    if (isDone) stack.pop();
    else stack.push(...needs(node).filter((needed) => !entered.has(needed)));
  }
  return { ...graph, nodes: [...listed] };
};
