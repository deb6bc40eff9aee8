import type { Graph } from '../graph.ts';
import { fuseForInference } from '../rewrite/index.ts';
import { leftAlone, type QuantizeOptions } from './choose.ts';
import { int8 } from './formats/int8.ts';
import { storedInHalves } from './half.ts';
import { type Quantized, quantizeWeights } from './index.ts';

/** A graph fused for inference and stored as a format says, by its weights alone: nothing is known of its activations. */
export const storedAs = (graph: Graph, options: QuantizeOptions = {}): Quantized => {
  const { products, floats } = options.format ?? int8;
  const quantized = quantizeWeights(
    fuseForInference(graph, products.kind === 'integers' ? 'inside' : 'apart'),
    options,
  );
  if (floats === 'float32') return quantized;
  return { ...quantized, graph: storedInHalves(quantized.graph, new Set(leftAlone(quantized.choices))) };
};
