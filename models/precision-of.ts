import type { Graph } from '../graph/graph.ts';
import { bitsOfBlocks, computesInHalves, hasFixedRanges, hasUnsignedProducts } from '../graph/quantize/stored.ts';
import type { Precision } from './precision.ts';
import { isQuantized } from './quantized.ts';

const ofBits: Readonly<Record<number, Precision>> = { 2: 'q2', 8: 'q8-blocks' };

/** What a graph stores its weights in. */
export const precisionOf = (graph: Graph): Precision => {
  const isHalf = computesInHalves(graph);
  const bits = bitsOfBlocks(graph);
  if (bits !== undefined) return isHalf ? 'q4f16' : (ofBits[bits] ?? 'q4');
  if (hasFixedRanges(graph)) return 'int8';
  if (isQuantized(graph)) return hasUnsignedProducts(graph) ? 'uint8' : 'q8';
  return isHalf ? 'fp16' : 'fp32';
};
