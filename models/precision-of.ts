import type { Graph } from '../graph/graph.ts';
import { bitsOfBlocks, computesInHalves, hasFixedRanges, hasUnsignedProducts } from '../graph/quantize/stored.ts';
import type { Precision } from './precision.ts';
import { isQuantized } from './quantized.ts';

/** What a graph stores its weights in. */
export const precisionOf = (graph: Graph): Precision => {
  const isHalf = computesInHalves(graph);
  if (bitsOfBlocks(graph) !== undefined) return isHalf ? 'q4f16' : 'q4';
  if (hasFixedRanges(graph)) return 'int8';
  if (isQuantized(graph)) return hasUnsignedProducts(graph) ? 'uint8' : 'q8';
  return isHalf ? 'fp16' : 'fp32';
};
