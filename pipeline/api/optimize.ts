import { fuseForInference } from '../../graph/rewrite/index.ts';
import { isQuantized } from '../../models/quantized.ts';
import type { Reading } from './named.ts';
import { rewriteModel } from './rewritten.ts';
import type { FloatOptions, OptimizedGraph } from './types/graphs.ts';

/** Reads a model, fuses its operators for inference and writes it. What is quantized stays so. */
export const optimizeGraph = async (
  name: string,
  out: string,
  options: FloatOptions,
  emit: Reading['emit'],
): Promise<OptimizedGraph> =>
  await rewriteModel(name, out, options, emit, ({ given, graph: normal }) => {
    const graph = fuseForInference(isQuantized(given) ? given : normal);
    return {
      graph,
      told: { nodes: { before: given.nodes.length, after: graph.nodes.length } },
      change: { kind: 'reworded' },
    };
  });
