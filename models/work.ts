import { isFusedAttention } from '../graph/attention.ts';
import { bindDim, type Dim } from '../graph/dim.ts';
import { type Graph, type Node, opsetOf, type Value } from '../graph/graph.ts';
import { findOp } from '../graph/ops/index.ts';
import { isFloat } from '../graph/ops/shared-structure.ts';
import { sitesAt, sitesOf } from '../graph/sites.ts';
import { elementCount } from '../graph/tensor.ts';
import { depthsOf } from './anatomy/depth.ts';
import { anatomySummary, headsIn, macsByNode } from './inspect.ts';
import type { Rates, Work } from './inspection.ts';

/** Multiplications and additions of a matrix of P elements that meets a row: forward, and with both ways back. */
const [FORWARD, TRAINING] = [2, 6];

/** What the symbols of a graph's dimensions are in a run. */
type Bound = Readonly<Record<string, Dim>>;

/** Elements of a value where the symbols of its graph are these sizes; 0 where a size does not follow from them. */
const elementsOf = ({ types }: Graph, name: Value, sizes: Bound): number => {
  const dims = types.get(name)?.shape?.map((dim) => bindDim(dim, sizes));
  return dims?.reduce<number>((product, dim) => (typeof dim === 'number' ? product * dim : 0), 1) ?? 0;
};

interface Matrices {
  /** Elements of the matrices in front of the head, once a use. */
  readonly body: number;
  /** Multiply-accumulates of all matrices, the head's included. */
  readonly macs: number;
  /** Rows that the matrices of layers meet. */
  readonly rows: number;
}

/** P D of every matrix: its elements times the rows of the stream that it meets. */
const matricesOf = (graph: Graph, sizes: Bound): Matrices => {
  const { groups, nodes } = depthsOf(graph);
  let [body, macs, rows] = [0, 0, 0];
  for (const { use, node, weight } of sitesOf(graph)) {
    const [output] = node.outputs;
    if (use.kind !== 'linear' || output === undefined) continue;
    const elements = elementCount(graph.weights.get(weight)?.dims ?? []);
    const width = graph.types.get(output)?.shape?.at(-1);
    const met = typeof width === 'number' ? elementsOf(graph, output, sizes) / width : 0;
    macs += elements * met;
    if (nodes.get(node) === groups.length - 1) continue;
    body += elements;
    rows = Math.max(rows, met);
  }
  return { body, macs, rows };
};

/** Width of all heads of all layers, those that attend to another stream included. */
const attended = (graph: Graph): number =>
  (anatomySummary(graph)?.layers ?? []).reduce(
    (sum, { heads, crossHeads = 0, headWidth, outputWidth }) =>
      sum + (heads + crossHeads) * (headWidth === 0 ? outputWidth / Math.max(1, heads) : headWidth),
    0,
  );

/**
 * Floating-point operations of a pass by formula: 2 P D + 4 D n A forward and 6 P D + 12 D n A in training, with P numbers in the
 * matrices, D = B n tokens of B texts, and A the width of all heads of all layers. Norms, biases and activations are none of them.
 */
export const workByFormula = (graph: Graph, batch: number, sizes: Bound): Work => {
  const { body, macs, rows } = matricesOf(graph, sizes);
  const scores = (2 * rows * rows * attended(graph)) / batch;
  return {
    body,
    forward: FORWARD * (macs + scores),
    attention: FORWARD * scores,
    training: TRAINING * (macs + scores),
  };
};

/** Of an activation, what a sum, a copy or a norm of an element takes beside it, as measured over encoders, decoders and images. */
const SHARE = 0.5;

const FLOAT = 4;

/** Bytes that a decoder remembers of one token: keys and values of all of their heads in every layer. */
export const cacheByFormula = (graph: Graph): number =>
  (anatomySummary(graph)?.layers ?? []).reduce(
    (sum, { kvHeads, headWidth }) => sum + 2 * FLOAT * kvHeads * headWidth,
    0,
  );

/** Bytes of the matrices that products read, as they are stored. */
export const matrixBytes = (graph: Graph): number =>
  sitesOf(graph).reduce(
    (sum, { use, weight }) => sum + (use.kind === 'linear' ? (graph.weights.get(weight)?.bytes.length ?? 0) : 0),
    0,
  );

/** Scores of an attention that is one node, which no value of the graph holds; 0 of all other nodes. */
const scoresOf = (graph: Graph, node: Node, macs: number, sizes: Bound): number => {
  if (!isFusedAttention(node)) return 0;
  const { heads, headWidth } = headsIn(graph, node);
  const [output] = node.outputs;
  const rows = output === undefined ? 0 : elementsOf(graph, output, sizes) / Math.max(1, heads * headWidth);
  // Some read queries, keys and values off the stream themselves.
  const matrices = sitesAt(graph, node).map(({ use, weight }) =>
    use.kind === 'linear' ? elementCount(graph.weights.get(weight)?.dims ?? []) : 0,
  );
  return matrices.reduce((left, elements) => left - rows * elements, macs) / (2 * Math.max(1, headWidth));
};

/** Scores of every attention that is one node, in a pass of which the symbols are these sizes. */
export const hiddenScores = (graph: Graph, sizes: Bound): ((node: Node) => number) => {
  const { macs } = macsByNode(graph, sizes);
  return (node) => scoresOf(graph, node, macs.get(node) ?? 0, sizes);
};

/** What a node writes beside products: the scores of an attention that is one node, or all that it gives. */
const writtenBy = (graph: Graph, node: Node, macs: number, sizes: Bound): number => {
  if (isFusedAttention(node)) return scoresOf(graph, node, macs, sizes);
  const record = findOp(node.domain, node.op, opsetOf(graph.opsets, node.domain));
  if (macs > 0 || record?.view === true) return 0;
  const floats = node.outputs.filter((output) => isFloat(graph.types.get(output)?.dtype));
  const share = node.op === 'Softmax' ? 1 : SHARE;
  return share * floats.reduce((sum, output) => sum + elementsOf(graph, output, sizes), 0);
};

/** Elements that a pass computes beside its products, in activations: scores of attention, norms, activations and sums. */
export const elementsIn = (graph: Graph, sizes: Bound): number => {
  const { macs } = macsByNode(graph, sizes);
  return graph.nodes.reduce((sum, node) => sum + writtenBy(graph, node, macs.get(node) ?? 0, sizes), 0);
};

/** The rates, one by one. */
export const rateNames = ['flops', 'bytes', 'elements'] as const;

/** What a pass does. */
export type Amounts = Rates;

/** Seconds of a pass: products go as fast as they compute or as their matrices are read, and elements are computed beside them. */
export const secondsOf = (amounts: Amounts, rates: Rates): number =>
  Math.max(amounts.flops / rates.flops, amounts.bytes / rates.bytes) + amounts.elements / rates.elements;
