import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { isLearned, sitesOf, sitesOfWeight } from '../../graph/sites.ts';
import { layerSpansOf } from './layers.ts';

/** What lies how deep in a model: the one meaning of embeddings, layers and head, for whoever speaks of them. */
export interface Depths {
  /** From the input to the output: 'embeddings', 'layers.0', 'layers.1', ..., 'head'. */
  readonly groups: readonly string[];
  /** Positions in `groups` at which a learned weight is used, rising; several where layers share it. */
  readonly of: ReadonlyMap<Value, readonly number[]>;
  /** The position of every node. */
  readonly nodes: ReadonlyMap<Node, number>;
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

/** Without layers everything in front of what answers is embeddings. */
const beforeAnswers = (graph: Graph): readonly Value[] =>
  sitesOf(graph)
    .filter(({ answers }) => answers)
    .flatMap(({ node, weight }) => node.inputs.filter((input) => input !== null && input !== weight))
    .filter((input) => input !== null)
    .slice(0, 1);

/** The stream before the first layer and behind each. */
const bordersOf = (graph: Graph): readonly Value[] => {
  const layers = layerSpansOf(graph);
  const [first] = layers;
  return first === undefined ? beforeAnswers(graph) : [first.input, ...layers.map(({ output }) => output)];
};

const derived = (graph: Graph): Depths => {
  const borders = bordersOf(graph);
  const marked = new Map<Node, number>();
  borders.forEach((border, depth) => {
    mark(graph, border, depth, marked);
  });
  const groups = [...borders.map((_, i) => (i === 0 ? 'embeddings' : `layers.${i - 1}`)), 'head'];
  const nodes = new Map(graph.nodes.map((node) => [node, marked.get(node) ?? groups.length - 1]));
  const depthsAt = (name: Value): readonly number[] => {
    const sites = sitesOfWeight(graph, name).filter(({ use }) => use.kind !== 'fixed');
    return [...new Set(sites.map(({ node }) => nodes.get(node) ?? groups.length - 1))].sort((a, b) => a - b);
  };
  const learned = [...graph.weights.keys()].filter((name) => isLearned(graph, name));
  return { groups, nodes, of: new Map(learned.map((name) => [name, depthsAt(name)])) };
};

const cache = new WeakMap<Graph, Depths>();

/**
 * Embeddings are what the first layer's input is computed from, a layer is what stands between the streams before and
 * after it, and the head is the rest: a last normalisation, pooling, and the classifier. Derived once a graph.
 */
export const depthsOf = (graph: Graph): Depths => {
  const known = cache.get(graph);
  if (known !== undefined) return known;
  const depths = derived(graph);
  cache.set(graph, depths);
  return depths;
};
