import { type Graph, indexOf, type Node, type Value, value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { layerSpansOf } from './layers.ts';

/** A model's parameters by how deep they lie, as freezing and layer-wise learning rates name them. */
export interface Depths {
  /** From the input to the output: 'embeddings', 'layers.0', 'layers.1', ..., 'head'. */
  readonly groups: readonly string[];
  /** Positions in `groups` at which a parameter is read, rising; several where layers share it. */
  readonly of: ReadonlyMap<Value, readonly number[]>;
}

/** Gives every node that a value is computed from a depth, unless it has one. */
const mark = (graph: Graph, from: Value, depth: number, depths: Map<Node, number>): void => {
  const { producer } = indexOf(graph);
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const node = producer.get(at);
    if (node === undefined || depths.has(node)) continue;
    depths.set(node, depth);
    for (const input of node.inputs) if (input !== null) open.push(input);
  }
};

/**
 * Embeddings are what the first layer's input is computed from, a layer is what stands between the streams before and
 * after it, and the head is the rest: a last normalisation, pooling, and the classifier.
 */
export const depthsOf = (graph: Graph): Depths => {
  const layers = layerSpansOf(graph);
  const [first] = layers;
  const borders = first === undefined ? [] : [first.input, ...layers.map(({ output }) => output)];
  const depths = new Map<Node, number>();
  borders.forEach((border, depth) => {
    mark(graph, border, depth, depths);
  });
  const groups = [...borders.map((_, i) => (i === 0 ? 'embeddings' : `layers.${i - 1}`)), 'head'];
  const depthsOfUsers = (name: Value): readonly number[] =>
    (indexOf(graph).users.get(name) ?? []).map((node) => depths.get(node) ?? groups.length - 1);
  const of = parameterNames(graph).map(
    (name) => [value(name), [...new Set(depthsOfUsers(name))].sort((a, b) => a - b)] as const,
  );
  return { groups, of: new Map(of) };
};
