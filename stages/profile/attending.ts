import { attentionsOf, isActivationProduct, isFusedAttention } from '../../graph/attention.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { sitesAt } from '../../graph/sites.ts';
import { isPackedAttention, productSiteAt } from './products.ts';

const producerOf = (graph: Graph, input: Value | null | undefined): Node | undefined =>
  input == null ? undefined : indexOf(graph).producer.get(input);

const usersOf = (graph: Graph, { outputs }: Node): readonly Node[] =>
  outputs.flatMap((output) => indexOf(graph).users.get(output) ?? []);

const isPair = (graph: Graph, node: Node): boolean =>
  isActivationProduct(graph, node) && productSiteAt(graph, node) === undefined;

/** Products of activations that meet without a softmax: keys times values, queries times those, and what else reads the queries. */
const withoutSoftmax = (graph: Graph): readonly Node[] =>
  graph.nodes.flatMap((node) => {
    const before = node.inputs.flatMap((input) => producerOf(graph, input) ?? []);
    const inner = isPair(graph, node) ? before.filter((one) => isPair(graph, one)) : [];
    if (inner.length === 0) return [];
    return [node, ...inner, ...before.flatMap((one) => usersOf(graph, one).filter((user) => isPair(graph, user)))];
  });

/** Whether a product with a weight reads heads that stand apart, as the features of a kernel do. */
const isOfHeads = (graph: Graph, { inputs: [input] }: Node): boolean =>
  input != null && (graph.types.get(input)?.shape?.length ?? 0) > 3;

/** What ends the way from attention to the rest of a layer: products with weights, their biases, and norms. */
const ends = (graph: Graph, node: Node): boolean => {
  const isProduct = (one: Node): boolean => productSiteAt(graph, one) !== undefined && !isOfHeads(graph, one);
  const before = node.inputs.flatMap((input) => producerOf(graph, input) ?? []);
  const isBias = node.op === 'Add' && before.length === 1 && before.some(isProduct);
  return isBias || isProduct(node) || sitesAt(graph, node).some(({ use }) => use.kind === 'norm');
};

/** Whether nobody but attention reads a node. */
const isFor = (graph: Graph, attending: ReadonlySet<Node>, node: Node): boolean => {
  const users = usersOf(graph, node);
  const reads = (user: Node): boolean =>
    attending.has(user) && !(isPackedAttention(user) && node.outputs.some((output) => user.inputs[0] === output));
  return users.length > 0 && users.every(reads) && !node.outputs.some((output) => graph.outputs.includes(output));
};

/** Whether a node reads nothing but what attention made, weights and sizes. */
const isOf = (graph: Graph, attending: ReadonlySet<Node>, { inputs }: Node): boolean => {
  const isGiven = (input: Value): boolean => graph.weights.has(input) || graph.types.get(input)?.dtype === 'int64';
  const read = inputs.filter((input): input is Value => input !== null && !isGiven(input));
  const before = read.flatMap((input) => producerOf(graph, input) ?? []);
  return read.length > 0 && before.length === read.length && before.every((node) => attending.has(node));
};

/**
 * Attention with all that is there for it alone: as one node or in pieces, what puts positions into blocks in front of it and back
 * into texts behind it, features, masks and rotations. `apart` belongs to another group whoever reads it.
 */
export const attendingIn = (graph: Graph, apart: (node: Node) => boolean): ReadonlySet<Node> => {
  const pieces = attentionsOf(graph).flatMap(({ nodes }) => [...nodes]);
  const attending = new Set([...graph.nodes.filter(isFusedAttention), ...pieces, ...withoutSoftmax(graph)]);
  const open = graph.nodes.filter((node) => !attending.has(node) && !apart(node) && !ends(graph, node));
  for (let known = -1; known < attending.size; ) {
    known = attending.size;
    for (const node of open) if (isOf(graph, attending, node)) attending.add(node);
    for (const node of open.toReversed()) if (isFor(graph, attending, node)) attending.add(node);
  }
  return attending;
};
