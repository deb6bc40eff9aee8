import type { Graph, Node } from '../graph.ts';
import { intAttr } from '../ops/shared-structure.ts';

/** Products and look-ups of weights in blocks of few bits, each with a scale. */
const ofBlocks: ReadonlySet<string> = new Set(['MatMulNBits', 'GatherBlockQuantized']);

export const readsBlocks = ({ op }: Node): boolean => ofBlocks.has(op);

/** What a product multiplies by, (inner, columns), where it stands in blocks of so many bits; undefined where it does not. */
export const blockProductAt = (
  node: Node,
): { readonly inner: number; readonly columns: number; readonly bits: number } | undefined =>
  node.op === 'MatMulNBits'
    ? { inner: intAttr(node, 'K', 0), columns: intAttr(node, 'N', 0), bits: intAttr(node, 'bits', 4) }
    : undefined;

/** The fewest bits of weights in blocks; undefined where there are none. */
export const bitsOfBlocks = (graph: Graph): number | undefined => {
  const bits = graph.nodes.filter(readsBlocks).map((node) => intAttr(node, 'bits', 4));
  return bits.length === 0 ? undefined : Math.min(...bits);
};

/** Products of integers, and at which input their matrix stands. */
const products: Readonly<Record<string, number>> = { MatMulInteger: 1, QAttention: 1 };

/** Whether matrices of integer products are unsigned bytes. */
export const hasUnsignedProducts = ({ nodes, weights }: Graph): boolean =>
  nodes.some(({ op, inputs }) => {
    const matrix = inputs[products[op] ?? -1];
    return matrix != null && weights.get(matrix)?.dtype === 'uint8';
  });

/** Whether activations have 8 bits of ranges that were known before the model runs. */
export const hasFixedRanges = ({ nodes }: Graph): boolean => nodes.some(({ op }) => op === 'QuantizeLinear');

/** Whether weights are kept, and so computed with, in float16. */
export const computesInHalves = ({ weights }: Graph): boolean =>
  [...weights.values()].some(({ dtype }) => dtype === 'float16');

/** The graph with products in blocks that read floats as they are, whatever they were asked to round; itself where none rounds. */
export const withoutRounding = (graph: Graph): Graph => {
  if (graph.nodes.every(({ op, attrs }) => op !== 'MatMulNBits' || attrs.accuracy_level === undefined)) return graph;
  const nodes = graph.nodes.map((node) => {
    const { accuracy_level: level, ...attrs } = node.attrs;
    return node.op !== 'MatMulNBits' || level === undefined ? node : { ...node, attrs };
  });
  return { ...graph, nodes };
};
