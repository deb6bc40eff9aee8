import type { NodeGroup } from '../../data/profile.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { isActivationProduct, productOf } from './products.ts';

/** Between the scores and the products on both sides stand a scale, a mask and casts: not more nodes than this. */
const reach = 6;

/** Attention as one node: MultiHeadAttention, Attention, QAttention. */
export const isFusedAttention = (node: Node): boolean => node.op.endsWith('Attention');

type Next = (node: Node) => readonly Node[];

/** Nodes on the ways from a node to the nearest products of activations, those included; empty when there is none near. */
const waysTo = (graph: Graph, from: Node, next: Next, steps = reach): ReadonlySet<Node> => {
  const found = new Set<Node>();
  if (steps === 0) return found;
  for (const node of next(from)) {
    const way = isActivationProduct(graph, node) ? new Set<Node>() : waysTo(graph, node, next, steps - 1);
    if (!isActivationProduct(graph, node) && way.size === 0) continue;
    found.add(node);
    for (const inner of way) found.add(inner);
  }
  return found;
};

const producers =
  (graph: Graph): Next =>
  (node) =>
    node.inputs.flatMap((input) => (input === null ? [] : (indexOf(graph).producer.get(input) ?? [])));

const users =
  (graph: Graph): Next =>
  (node) =>
    node.outputs.flatMap((output) => indexOf(graph).users.get(output) ?? []);

const turning: ReadonlySet<string> = new Set(['Transpose', 'Reshape']);
const scaling: ReadonlySet<string> = new Set(['Mul', 'Div']);

/** Nodes that only turn, split or scale what they pass on. */
const turns = (graph: Graph, node: Node): boolean =>
  turning.has(node.op) ||
  (scaling.has(node.op) && node.inputs.some((input) => input !== null && graph.weights.has(input)));

const chain = (graph: Graph, from: Node, next: Next): readonly Node[] =>
  next(from)
    .filter((node) => turns(graph, node))
    .flatMap((node) => [node, ...chain(graph, node, next)]);

/** One attention in pieces: from the products before a Softmax to the product behind it, with what turns their operands. */
export interface Pieces {
  readonly softmax: Node;
  readonly nodes: ReadonlySet<Node>;
}

/** Attention that is not one node, found through each Softmax between two products of activations. */
export const attentionPieces = (graph: Graph): readonly Pieces[] =>
  graph.nodes.flatMap((softmax) => {
    if (softmax.op !== 'Softmax') return [];
    const [before, after] = [waysTo(graph, softmax, producers(graph)), waysTo(graph, softmax, users(graph))];
    if (before.size === 0 || after.size === 0) return [];
    const core = [softmax, ...before, ...after];
    const products = core.filter((node) => isActivationProduct(graph, node));
    const around = products.flatMap((node) => [
      ...chain(graph, node, producers(graph)),
      ...(after.has(node) ? chain(graph, node, users(graph)) : []),
    ]);
    return [{ softmax, nodes: new Set([...core, ...around]) }];
  });

const crossing: ReadonlySet<string> = new Set(['DynamicQuantizeLinear', 'QuantizeLinear', 'DequantizeLinear']);

/** The matrix whose rows a node looks up. */
export const tableOf = (graph: Graph, node: Node): Value | undefined => {
  const table = node.op === 'Gather' ? (node.inputs[0] ?? undefined) : undefined;
  return table !== undefined && graph.weights.get(table)?.dims.length === 2 ? table : undefined;
};

/** Whether a value holds integers that stand for floats: the sums of an integer product, or rows of an integer table. */
const holdsSteps = (graph: Graph, input: Value | null | undefined): boolean => {
  const source = input == null ? undefined : indexOf(graph).producer.get(input);
  if (source?.op === 'MatMulInteger') return true;
  const table = source === undefined ? undefined : tableOf(graph, source);
  return table !== undefined && /^u?int8$/.test(graph.weights.get(table)?.dtype ?? '');
};

/** Casts back to float, the multiplication with the steps, and what fetches the steps. */
const backToFloat = (graph: Graph): ReadonlySet<Node> => {
  const found = new Set<Node>();
  const { producer } = indexOf(graph);
  for (const cast of graph.nodes) {
    if (cast.op !== 'Cast' || !holdsSteps(graph, cast.inputs[0])) continue;
    found.add(cast);
    for (const scaled of users(graph)(cast).filter((user) => user.op === 'Mul')) {
      found.add(scaled);
      for (const input of scaled.inputs) {
        const source = input === null ? undefined : producer.get(input);
        if (source?.op === 'Gather' || source?.op === 'Mul') found.add(source);
      }
    }
  }
  return found;
};

/** What every node is there for. */
export const groupsOf = (graph: Graph): ReadonlyMap<Node, NodeGroup> => {
  const pieces = new Set(attentionPieces(graph).flatMap(({ nodes }) => [...nodes]));
  const steps = backToFloat(graph);
  const groupOf = (node: Node): NodeGroup => {
    if (isFusedAttention(node) || pieces.has(node)) return 'attention';
    if (crossing.has(node.op) || steps.has(node)) return 'quantize';
    return productOf(graph, node) === undefined ? 'other' : 'product';
  };
  return new Map(graph.nodes.map((node) => [node, groupOf(node)]));
};
