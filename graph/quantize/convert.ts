import type { Graph } from '../graph.ts';
import { fuseForInference } from '../rewrite/index.ts';
import { leftAlone, type QuantizeOptions } from './choose.ts';
import { type Format, fixesRanges } from './format.ts';
import { int8 } from './formats/int8.ts';
import { storedInHalves } from './half.ts';
import { type Quantized, quantizeWeights } from './index.ts';

/** A graph fused as a way of storing its products wants it: nothing but floats, and 8 bits whose ranges are found as it runs, is multiplied by inside attention. */
export const fusedFor = (graph: Graph, format: Pick<Format, 'products'>): Graph =>
  fuseForInference(graph, format.products.kind === 'integers' && !fixesRanges(format) ? 'inside' : 'apart');

/** A graph fused for inference and stored as a format says, by its weights alone: nothing is known of its activations. */
export const storedAs = (graph: Graph, options: QuantizeOptions = {}): Quantized => {
  const { format = int8 } = options;
  const quantized = quantizeWeights(fusedFor(graph, format), options);
  if (format.floats === 'float32') return quantized;
  return { ...quantized, graph: storedInHalves(quantized.graph, new Set(leftAlone(quantized.choices))) };
};
