import type { Graph } from '../graph/graph.ts';

const integerOperators: ReadonlySet<string> = new Set([
  'DynamicQuantizeLinear',
  'MatMulInteger',
  'DynamicQuantizeMatMul',
  'MatMulIntegerToFloat',
  'QAttention',
]);

/** Whether a graph computes with activations that are quantized at run time: its results then depend on the batch. */
export const isQuantized = (graph: Graph): boolean => graph.nodes.some((node) => integerOperators.has(node.op));
