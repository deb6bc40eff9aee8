import { type Graph, indexOf, type Node, type Value } from './graph.ts';
import { asSingles, isHalf } from './halves.ts';
import { elementCount, numbersOf } from './tensor.ts';

/** softmax(scale Q K^T + ...) V in pieces (Vaswani et al. 2017, 1706.03762), found through its Softmax. */
export interface Attention {
  readonly softmax: Node;
  /** Queries times keys; where several products are summed, as with relative positions, the first of them. */
  readonly product: Node;
  /** Shares times values. */
  readonly mixing: Node;
  /** What the Softmax reads: (batch, heads, queries, keys) where there are heads, or (batch, blocks, heads, queries, keys). */
  readonly scores: Value;
  /** The product of every number that queries, keys or scores are multiplied by. */
  readonly scale: number;
  /** Undefined where scores have no axis of a known number of heads. */
  readonly heads?: number;
  /** Every node from the products before the Softmax to the one behind it, with what turns and scales their operands. */
  readonly nodes: ReadonlySet<Node>;
}

/** Attention as one node, in the operator sets that have it. */
const fused: ReadonlySet<string> = new Set([
  ':Attention',
  'com.microsoft:Attention',
  'com.microsoft:DecoderMaskedMultiHeadAttention',
  'com.microsoft:GroupQueryAttention',
  'com.microsoft:MultiHeadAttention',
  'com.microsoft:PackedAttention',
  'com.microsoft:PackedMultiHeadAttention',
  'com.microsoft:QAttention',
]);

export const isFusedAttention = ({ domain, op }: Node): boolean => fused.has(`${domain}:${op}`);

/** A product of two activations. */
export const isActivationProduct = (graph: Graph, { op, inputs }: Node): boolean =>
  (op === 'MatMul' || op === 'FusedMatMul') &&
  inputs.slice(0, 2).every((input) => input !== null && !graph.weights.has(input));

/** Between the scores and the products on both sides stand a scale, a mask, guards and casts: not more nodes than this. */
const reach = 6;

type Next = (node: Node) => readonly Node[];

const producers =
  (graph: Graph): Next =>
  ({ inputs }) =>
    inputs.flatMap((input) => (input === null ? [] : (indexOf(graph).producer.get(input) ?? [])));

const users =
  (graph: Graph): Next =>
  ({ outputs }) =>
    outputs.flatMap((output) => indexOf(graph).users.get(output) ?? []);

/** Nodes on the ways from a node to the nearest products of activations, those included; empty when there is none near. */
const waysTo = (graph: Graph, from: Node, next: Next, steps = reach): ReadonlySet<Node> => {
  const ways = new Set<Node>();
  if (steps === 0) return ways;
  for (const node of next(from)) {
    const way = isActivationProduct(graph, node) ? new Set<Node>() : waysTo(graph, node, next, steps - 1);
    if (!isActivationProduct(graph, node) && way.size === 0) continue;
    ways.add(node);
    for (const inner of way) ways.add(inner);
  }
  return ways;
};

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

/** A number times the one that a node multiplies or divides by. */
const scaledBy = (graph: Graph, number: number, { op, inputs }: Node): number => {
  if (!scaling.has(op)) return number;
  const [factor] = inputs.flatMap((input) => {
    const tensor = input === null ? undefined : graph.weights.get(input);
    if (tensor === undefined || elementCount(tensor.dims) !== 1) return [];
    return numbersOf(isHalf(tensor) ? asSingles(tensor) : tensor);
  });
  return factor === undefined ? number : op === 'Div' ? number / factor : number * factor;
};

/** What turns and scales one operand of a product, from its source on. */
const operandChain = (graph: Graph, product: Node, position: number): readonly Node[] => {
  const nodes: Node[] = [];
  let input = product.inputs[position] ?? undefined;
  for (;;) {
    const node = input === undefined ? undefined : indexOf(graph).producer.get(input);
    if (node === undefined || !turns(graph, node)) return nodes;
    nodes.unshift(node);
    input = node.inputs.find((one) => one !== null && !graph.weights.has(one)) ?? undefined;
  }
};

/** The axis of scores that counts heads, in front of queries and keys. */
export const HEADS_AXIS = -3;

const headsOf = (graph: Graph, scores: Value): number | undefined => {
  const shape = graph.types.get(scores)?.shape ?? [];
  const heads = shape.length > 3 ? shape.at(HEADS_AXIS) : undefined;
  return typeof heads === 'number' ? heads : undefined;
};

const attentionAt = (graph: Graph, softmax: Node): readonly Attention[] => {
  const [scores] = softmax.inputs;
  if (softmax.op !== 'Softmax' || scores == null) return [];
  const [before, after] = [waysTo(graph, softmax, producers(graph)), waysTo(graph, softmax, users(graph))];
  const [product, mixing] = [before, after].map((way) => [...way].find((node) => isActivationProduct(graph, node)));
  if (product === undefined || mixing === undefined) return [];
  const core = [softmax, ...before, ...after];
  const around = core
    .filter((node) => isActivationProduct(graph, node))
    .flatMap((node) => [
      ...chain(graph, node, producers(graph)),
      ...(after.has(node) ? chain(graph, node, users(graph)) : []),
    ]);
  const scaled = [...operandChain(graph, product, 0), ...operandChain(graph, product, 1), ...before];
  const heads = headsOf(graph, scores);
  return [
    {
      ...{ softmax, product, mixing, scores },
      scale: scaled.reduce((number, node) => scaledBy(graph, number, node), 1),
      ...(heads === undefined ? {} : { heads }),
      nodes: new Set([...core, ...around]),
    },
  ];
};

const cache = new WeakMap<Graph, readonly Attention[]>();

/** Every attention in pieces, in the order of the graph. Derived once a graph. */
export const attentionsOf = (graph: Graph): readonly Attention[] => {
  const known = cache.get(graph);
  if (known !== undefined) return known;
  const attentions = graph.nodes.flatMap((node) => attentionAt(graph, node));
  cache.set(graph, attentions);
  return attentions;
};

/** The attention in pieces that a Softmax belongs to. */
export const attentionOf = (graph: Graph, softmax: Node): Attention | undefined =>
  attentionsOf(graph).find((attention) => attention.softmax === softmax);

/** One operand of attention, and the number that it was multiplied by on the way. */
interface Operand {
  readonly value: Value;
  readonly scale: number;
}

/** Queries, keys and values where the products read them. */
export interface Operands {
  readonly queries: Operand;
  /** Whether their last axis is that of the positions. */
  readonly keys: Operand & { readonly turned: boolean };
  readonly values: Operand;
}

/** What the products of an attention read; undefined where one of them reads nothing. */
export const operandsOf = (graph: Graph, { product, mixing }: Attention): Operands | undefined => {
  const operand = (node: Node, position: number): Operand | undefined => {
    const input = node.inputs[position];
    const scale = operandChain(graph, node, position).reduce((number, one) => scaledBy(graph, number, one), 1);
    return input == null ? undefined : { value: input, scale };
  };
  const [queries, keys, values] = [operand(product, 0), operand(product, 1), operand(mixing, 1)];
  if (queries === undefined || keys === undefined || values === undefined) return undefined;
  const { transB } = product.attrs;
  const turned = !(transB?.kind === 'int' && transB.value === 1);
  return { queries, keys: { ...keys, turned }, values };
};
