import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { depthsOf } from '../../models/anatomy/depth.ts';

/** The part of the model that makes each value: embeddings, layers.0, ..., head. */
const partsByValue = (fused: Graph): ReadonlyMap<Value, string> => {
  const { groups, nodes } = depthsOf(fused);
  return new Map(
    fused.nodes.flatMap((node) => node.outputs.map((output) => [output, groups[nodes.get(node) ?? 0] ?? ''])),
  );
};

/**
 * The part of the model that every node of the graph as it runs belongs to. The runtime keeps the names of what it leaves; what it
 * adds or joins belongs where its own input comes from.
 */
export const layersOf = (optimized: Graph, fused: Graph): ReadonlyMap<Node, string> => {
  const { producer } = indexOf(optimized);
  const parts = partsByValue(fused);
  const layers = new Map<Node, string>();
  for (const node of optimized.nodes) {
    const own = node.outputs.map((output) => parts.get(output));
    const before = node.inputs.map((input) => {
      const source = input === null ? undefined : producer.get(input);
      return source === undefined ? undefined : layers.get(source);
    });
    layers.set(node, [...own, ...before].find((part) => part !== undefined) ?? 'embeddings');
  }
  return layers;
};
