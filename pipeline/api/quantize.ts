import { quantizeDynamic } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { modelError, reworded } from '../../ground/errors.ts';
import { expectFloats } from '../../models/foreign.ts';
import { requestError } from '../diagnostic.ts';
import type { Reading } from './named.ts';
import { rewriteModel } from './rewritten.ts';
import type { QuantizedGraph, QuantizedWeight, QuantizeOptions } from './types/graphs.ts';

/** Vectors are float in every quantized model. */
const matricesIn = (weights: readonly QuantizedWeight[]): readonly QuantizedWeight[] =>
  weights
    .filter(({ dims }) => dims.length === 2)
    .map(({ name, dims, storage, reason }) => ({ name, dims, storage, ...(reason === undefined ? {} : { reason }) }));

const whyNone = (weights: readonly QuantizedWeight[]): string => {
  const counts = new Map<string, number>();
  for (const { reason = '' } of weights) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
};

const quantized = (...given: Parameters<typeof quantizeDynamic>): ReturnType<typeof quantizeDynamic> => {
  try {
    return quantizeDynamic(...given);
  } catch (error) {
    throw reworded(error, (why) => requestError(why.replace(/^exclude: /, '--skip: ')));
  }
};

/** Reads a model, stores its matrices in 8 bits and writes it. */
export const quantizeGraph = async (
  name: string,
  out: string,
  { skip = [], minElements, ...options }: QuantizeOptions,
  emit: Reading['emit'],
): Promise<QuantizedGraph> =>
  await rewriteModel(name, out, options, emit, (foreign) => {
    expectFloats(foreign, 'the model', 'quantized');
    const { graph, report } = quantized(fuseForInference(foreign.graph), {
      exclude: skip,
      ...(minElements === undefined ? {} : { minimumElements: minElements, minimumTable: minElements }),
    });
    const weights = matricesIn(report.weights);
    const count = weights.filter(({ storage }) => storage === 'int8').length;
    if (count === 0) {
      const reasons = weights.length === 0 ? 'it has none' : whyNone(weights);
      throw modelError(`no matrix can be stored in 8 bits (${reasons}): skip less, or lower --min-elements`);
    }
    return { graph, told: { weights, quantized: count, kept: weights.length - count }, change: { kind: 'reworded' } };
  });
