import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { sitesAt } from '../../graph/sites.ts';
import type { Block, Side } from '../anatomy/blocks.ts';
import { activates } from '../anatomy/parts.ts';

export const uses = (graph: Graph, node: Node, kind: 'linear' | 'norm' | 'lookup'): boolean =>
  sitesAt(graph, node).some(({ use }) => use.kind === kind);

/** What a product reads besides its matrix. */
export const readBy = (graph: Graph, product: Node): Value | undefined => {
  const own = new Set(sitesAt(graph, product).map(({ use }) => use.input));
  return product.inputs.find((input, i) => input !== null && !own.has(i)) ?? undefined;
};

/** What a node computes from values that are no weights, among some nodes. */
const sourcesIn = (graph: Graph, nodes: ReadonlySet<Node>, node: Node): readonly Value[] => {
  const { producer } = indexOf(graph);
  const isOwn = (input: Value): boolean => {
    const made = producer.get(input);
    return made !== undefined && nodes.has(made);
  };
  return [...new Set(node.inputs.filter((input) => input !== null && isOwn(input)))].filter((input) => input !== null);
};

/** The product whose result a side ends in: a bias, an activation or a mask may stand behind it, no norm and no other sum. */
export const lastProduct = (graph: Graph, { value, nodes }: Side): Node | undefined => {
  const { producer } = indexOf(graph);
  for (let at: Value | undefined = value; at !== undefined; ) {
    const node = producer.get(at);
    if (node === undefined || !nodes.has(node) || uses(graph, node, 'norm')) return undefined;
    if (uses(graph, node, 'linear')) return node;
    const [source, ...more] = sourcesIn(graph, nodes, node);
    at = more.length === 0 ? source : undefined;
  }
  return undefined;
};

/** A side that ends in an activation, before that. */
export const beforeActivation = (graph: Graph, { value, nodes }: Side): Value => {
  const node = indexOf(graph).producer.get(value);
  if (node === undefined || !nodes.has(node) || !activates(node)) return value;
  const [source, ...more] = sourcesIn(graph, nodes, node);
  return source !== undefined && more.length === 0 ? source : value;
};

export const holds = ({ nodes }: Side, block: Block): boolean => [...block.nodes].every((node) => nodes.has(node));

/** Products, and parts of them, that a value is made of by functions of single numbers. */
const channelsOf = (graph: Graph, nodes: ReadonlySet<Node>, from: Value): ReadonlySet<Value> => {
  const { producer } = indexOf(graph);
  const [found, seen] = [new Set<Value>(), new Set<Value>()];
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const node = producer.get(at);
    if (node === undefined || seen.has(at)) continue;
    seen.add(at);
    const shapes = [at, ...sourcesIn(graph, nodes, node)].map((one) => graph.types.get(one)?.shape?.join());
    const isElementwise = shapes.every((shape) => shape === shapes[0]);
    if (!nodes.has(node) || uses(graph, node, 'linear') || !isElementwise) found.add(at);
    else open.push(...sourcesIn(graph, nodes, node));
  }
  return found;
};

/** Neurons that are products of channels with other channels, as the last matrix of a side reads them (Shazeer 2020). */
export const gatedNeurons = (graph: Graph, side: Side): Value | undefined => {
  const { producer } = indexOf(graph);
  const last = lastProduct(graph, side);
  const neurons = last === undefined ? undefined : readBy(graph, last);
  const node = neurons === undefined ? undefined : producer.get(neurons);
  if (node === undefined || !side.nodes.has(node)) return undefined;
  const [a, b] = sourcesIn(graph, side.nodes, node).map((source) => channelsOf(graph, side.nodes, source));
  if (a === undefined || b === undefined) return undefined;
  return [...a].some((one) => !b.has(one)) && [...b].some((one) => !a.has(one)) ? neurons : undefined;
};
