import { type Attention, attentionsOf, isActivationProduct, isFusedAttention } from '../../graph/attention.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { productAt, sitesOf } from '../../graph/sites.ts';

/** What stands between two points of the residual stream: `output = skip + branch`, the branch computed from `input`. */
export interface Block {
  /** Cross-attention asks the stream of another part of the model. */
  readonly kind: 'attention' | 'cross-attention' | 'feed-forward';
  /** The stream before the block: where skip and branch part. */
  readonly input: Value;
  /** The residual sum. */
  readonly output: Value;
  /** Every node from the input to the sum, the sum included. */
  readonly nodes: ReadonlySet<Node>;
  /** What is summed: the skip first, then the branch. */
  readonly sides: readonly [Side, Side];
}

/** One of the two values that a residual sum adds. */
export interface Side {
  readonly value: Value;
  /** Every node from the input of the block to the value. */
  readonly nodes: ReadonlySet<Node>;
}

const widths = new WeakMap<Graph, ReadonlySet<number>>();

/** Widths that matrices of the graph give: a residual stream has one of them, scores over positions have none but by chance. */
const widthsIn = (graph: Graph): ReadonlySet<number> => {
  const known = widths.get(graph);
  if (known !== undefined) return known;
  const found = new Set(
    sitesOf(graph).flatMap(({ weight, use }) =>
      use.kind === 'linear' ? [use.inner, use.outer].map((axis) => graph.weights.get(weight)?.dims[axis] ?? 0) : [],
    ),
  );
  widths.set(graph, found);
  return found;
};

const lastDim = (graph: Graph, value: Value): number | undefined => {
  const dim = graph.types.get(value)?.shape?.at(-1);
  return typeof dim === 'number' && widthsIn(graph).has(dim) ? dim : undefined;
};

const shapeText = (graph: Graph, value: Value): string | undefined => graph.types.get(value)?.shape?.join();

/** Whether a value counts or numbers something, such as a shape: it may be asked of the stream, but the stream does not run through it. */
export const isCount = ({ types }: Graph, value: Value): boolean => types.get(value)?.dtype === 'int64';

/** Values that a value is computed from, itself included; weights, and shapes with what they are read off, are left out. */
export const ancestorsOf = (graph: Graph, value: Value): ReadonlySet<Value> => {
  const { producer } = indexOf(graph);
  const found = new Set<Value>();
  const open = [value];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (found.has(at) || graph.weights.has(at) || isCount(graph, at)) continue;
    found.add(at);
    for (const input of producer.get(at)?.inputs ?? []) if (input !== null) open.push(input);
  }
  return found;
};

/** Nodes on the ways from one value to another. */
const nodesBetween = (graph: Graph, from: Value, to: Value): ReadonlySet<Node> => {
  const reached = new Set<Value>([from]);
  const within = ancestorsOf(graph, to);
  const nodes = new Set<Node>();
  for (const node of graph.nodes) {
    if (!node.outputs.some((output) => within.has(output) && output !== from)) continue;
    if (!node.inputs.some((input) => input !== null && reached.has(input))) continue;
    nodes.add(node);
    for (const output of node.outputs) if (!isCount(graph, output)) reached.add(output);
  }
  return nodes;
};

/** Whether attention happens among some nodes: as one of them, in pieces, or without a softmax as products of what they all say. */
const attends = (graph: Graph, nodes: ReadonlySet<Node>): boolean => {
  const made = new Set<Value | null>([...nodes].flatMap(({ outputs }) => outputs));
  // A product with what comes from elsewhere, such as the shifts of a convolution, asks no other position.
  const asks = (node: Node): boolean =>
    isActivationProduct(graph, node) && node.inputs.slice(0, 2).every((input) => made.has(input));
  return (
    [...nodes].some((node) => isFusedAttention(node) || asks(node)) ||
    attentionsOf(graph).some(({ softmax }) => nodes.has(softmax))
  );
};

/** Whether keys come from elsewhere than the stream that the queries come from. */
const isCross = (graph: Graph, { product: { inputs } }: Attention, stream: Value): boolean => {
  const [queries, keys] = inputs;
  const comesFrom = (value: Value | null | undefined): boolean =>
    value != null && ancestorsOf(graph, value).has(stream);
  return comesFrom(queries) && !comesFrom(keys);
};

const kindOf = (graph: Graph, branch: ReadonlySet<Node>, input: Value): Block['kind'] => {
  if (!attends(graph, branch)) return 'feed-forward';
  const own = attentionsOf(graph).filter(({ softmax }) => branch.has(softmax));
  return own.length > 0 && own.every((attention) => isCross(graph, attention, input)) ? 'cross-attention' : 'attention';
};

const hasLinear = (graph: Graph, nodes: ReadonlySet<Node>): boolean =>
  [...nodes].some((node) => productAt(graph, node) !== undefined);

/** The last point of the stream that both sides of a sum come from: float, of the sum's rank, of known width. */
const forkOf = (graph: Graph, a: Value, b: Value): Value | undefined => {
  const [left, right] = [ancestorsOf(graph, a), ancestorsOf(graph, b)];
  const rank = graph.types.get(a)?.shape?.length;
  const common = [...graph.inputs, ...graph.nodes.flatMap((node) => node.outputs)]
    .filter((value) => left.has(value) && right.has(value))
    .filter((value) => graph.types.get(value)?.dtype.startsWith('float') && lastDim(graph, value) !== undefined)
    .filter((value) => graph.types.get(value)?.shape?.length === rank);
  return common.at(-1);
};

/** Fusing writes a residual sum before a norm as Sum. */
const sums: ReadonlySet<string> = new Set(['Add', 'Sum']);

const isSum = (graph: Graph, node: Node): boolean => {
  const [a, b] = node.inputs;
  if (!sums.has(node.op) || node.inputs.length !== 2 || a == null || b == null) return false;
  if (graph.weights.has(a) || graph.weights.has(b)) return false;
  return (
    shapeText(graph, a) !== undefined && shapeText(graph, a) === shapeText(graph, b) && lastDim(graph, a) !== undefined
  );
};

/** Whether a sum makes scores of products and a mask; with one head the two can have one shape. */
const makesScores = (graph: Graph, node: Node): boolean =>
  attentionsOf(graph).some(({ nodes, mixing }) => nodes.has(node) && mixing !== node);

/**
 * A residual sum adds two values of one shape that part at one point of the stream, where one of them went through a
 * weight matrix and the other through less (nothing, or a projection to another width). The sum inside a decomposed
 * activation function has no weight matrix on either side.
 */
const blockAt = (graph: Graph, node: Node): Block | undefined => {
  const [a, b] = node.inputs;
  const [output] = node.outputs;
  if (a == null || b == null || output === undefined || !isSum(graph, node) || makesScores(graph, node))
    return undefined;
  const input = forkOf(graph, a, b);
  if (input === undefined) return undefined;
  const [left, right] = [a, b].map((side) => ({ value: side, nodes: nodesBetween(graph, input, side) }));
  if (left === undefined || right === undefined) return undefined;
  const [skip, branch] = right.nodes.size < left.nodes.size ? [right, left] : [left, right];
  if (!hasLinear(graph, branch.nodes) || attends(graph, skip.nodes)) return undefined;
  return {
    kind: kindOf(graph, branch.nodes, input),
    ...{ input, output },
    nodes: new Set([...skip.nodes, ...branch.nodes, node]),
    sides: [skip, branch],
  };
};

/** Residual blocks in the order of the stream. */
export const blocksOf = (graph: Graph): readonly Block[] => graph.nodes.flatMap((node) => blockAt(graph, node) ?? []);

/** Whether one block stands around another, as a layer of MobileBERT stands around its thinner blocks. */
export const surrounds = (outer: Block, inner: Block | undefined): boolean =>
  inner !== undefined && outer !== inner && [...inner.nodes].every((node) => outer.nodes.has(node));
