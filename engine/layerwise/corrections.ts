import type { Graph, Value } from '../../graph/graph.ts';
import { sitesOfWeight } from '../../graph/sites.ts';
import { arrayOf, type Tensor, tensorOf } from '../../graph/tensor.ts';

/** The bias of the one node that multiplies by a weight, where no other node reads that. */
export const ownBias = (graph: Graph, weight: Value): Value | undefined => {
  const [site, ...more] = sitesOfWeight(graph, weight);
  const bias = more.length === 0 ? site?.bias : undefined;
  const dims = bias === undefined ? undefined : graph.weights.get(bias)?.dims;
  return dims?.length === 1 && bias !== undefined && sitesOfWeight(graph, bias).length === 1 ? bias : undefined;
};

/** What a product reads on average, and multiplies by: (outputs, inputs) with one mean an input. */
interface Averaged {
  readonly means: Float64Array;
  readonly width: number;
  readonly data: Float32Array;
}

/** A bias that makes up for how far the mean of a product moved. */
export const corrected = (bias: Tensor, before: Averaged, after: Averaged): Tensor => {
  const data = Float32Array.from(arrayOf({ ...bias, dtype: 'float32' }));
  for (let row = 0; row < data.length; row++) {
    let error = 0;
    for (let i = 0; i < before.width; i++) {
      const at = row * before.width + i;
      error += (before.means[i] as number) * (before.data[at] as number);
      error -= (after.means[i] as number) * (after.data[at] as number);
    }
    data[row] = (data[row] as number) + error;
  }
  return tensorOf('float32', bias.dims, data);
};

/** A bias that makes up for the mean error of the product before it. */
export interface Correction {
  readonly bias: Value;
  readonly tensor: Tensor;
}

/** Corrections by the weight that is rounded. */
export type Corrections = ReadonlyMap<Value, Correction>;

/** A graph with biases that make up for the mean errors of some weights. */
export const withCorrections = (
  graph: Graph,
  { corrections }: { readonly corrections: Corrections },
  of: Iterable<Value>,
): Graph => {
  const weights = new Map(graph.weights);
  for (const weight of of) {
    const correction = corrections.get(weight);
    if (correction !== undefined) weights.set(correction.bias, correction.tensor);
  }
  return { ...graph, weights };
};
