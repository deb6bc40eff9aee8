import type { Graph, Node, Value } from '../graph.ts';
import { intAttr } from '../ops/shared-structure.ts';
import type { Tensor } from '../tensor.ts';
import { blocksOf, type Grid, matrixOf, widened } from './grid.ts';
import { unpackedOf } from './pack.ts';
import { blockProductAt } from './stored.ts';

const depths: readonly Grid['bits'][] = [2, 4, 8];

/** The matrix, (inner, columns), that a product reads in blocks of few bits; undefined where it does not, or not as a constant. */
export const floatsOfBlocks = (graph: Graph, node: Node): Tensor | undefined => {
  const product = blockProductAt(node);
  const bits = depths.find((depth) => depth === product?.bits);
  const constant = (input: Value | null | undefined): Tensor | undefined =>
    input == null ? undefined : graph.weights.get(input);
  const [codes, scales, zeros] = node.inputs.slice(1, 4).map(constant);
  if (product === undefined || bits === undefined || codes === undefined || scales === undefined) return undefined;
  const { inner: width, columns: rows } = product;
  const grid: Grid = { bits, block: intAttr(node, 'block_size', 0), zeroPoint: zeros !== undefined };
  const rowsOf = (tensor: Tensor): Tensor => ({ ...tensor, dims: [rows, tensor.bytes.length / rows] });
  const packed = {
    ...{ grid, rows, width, codes: rowsOf(codes), scales: { ...scales, dims: [rows, blocksOf(width, grid)] } },
    ...(zeros === undefined ? {} : { zeros: rowsOf(zeros) }),
  };
  return matrixOf(widened(packed, grid, unpackedOf(packed)), [width, rows], 'turned');
};
