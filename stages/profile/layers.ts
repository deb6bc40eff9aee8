import { type Graph, indexOf, type Node } from '../../graph/graph.ts';

const numbered = /^(?:layers?|blocks?|h|encoder|decoder|transformer)?_?\d+$/i;

/**
 * The layer in a node's name: its scope up to the first number (`encoder.layer.0/ffn/Add_3` is in `encoder.layer.0`), else
 * its first part (`embeddings/Gather_1` is in `embeddings`). Undefined for names without a scope.
 */
export const layerOfName = (name: string): string | undefined => {
  const parts = name.split(/([./])/);
  const at = parts.findIndex((part, i) => i > 0 && i < parts.length && numbered.test(part));
  if (at >= 0) return parts.slice(0, at + 1).join('');
  const [scope] = name.split('/');
  return scope !== '' && name.includes('/') ? scope : undefined;
};

/** The layer of every node. Nodes whose names tell none (a named output, what a runtime added) belong where they get their input from. */
export const layersOf = (graph: Graph): ReadonlyMap<Node, string> => {
  const { producer } = indexOf(graph);
  const layers = new Map<Node, string>();
  for (const node of graph.nodes) {
    const before = node.inputs.map((input) => {
      const source = input === null ? undefined : producer.get(input);
      return source === undefined ? undefined : layers.get(source);
    });
    layers.set(node, layerOfName(node.name) ?? before.find((layer) => layer !== undefined) ?? 'graph');
  }
  return layers;
};
