import type { Graph, Value } from '../../graph/graph.ts';
import { elementCount, float32Of } from '../../graph/tensor.ts';

/** A weight of the graph that is trained, and which stretch of one of the fused graph it is. */
export interface Part {
  readonly name: Value;
  /** Columns of a matrix or numbers of a vector, where several stand side by side. */
  readonly from: number;
  readonly count: number;
}

/** Weights that a weight of the fused graph was packed from, or itself. */
const namesOf = (fused: Graph, weight: Value): readonly Value[] => fused.origins?.get(weight) ?? [weight];

const isStretch = (whole: Float32Array, width: number, part: Float32Array, { from, count }: Part): boolean =>
  part.every((x, i) => Object.is(x, whole[Math.floor(i / count) * width + from + (i % count)]));

/**
 * The weights of a graph that one of its fused form consists of, side by side; undefined where fusing has computed it from
 * others: what is trained would not be what is stored.
 */
export const partsOf = (graph: Graph, fused: Graph, weight: Value): readonly Part[] | undefined => {
  const tensor = fused.weights.get(weight);
  if (tensor === undefined) return undefined;
  const whole = float32Of(tensor);
  const width = tensor.dims.at(-1) ?? 1;
  const parts: Part[] = [];
  let from = 0;
  for (const name of namesOf(fused, weight)) {
    const own = graph.weights.get(name);
    if (own?.dtype !== 'float32' || own.dims.length !== tensor.dims.length) return undefined;
    const part = { name, from, count: own.dims.at(-1) ?? 1 };
    if (!isStretch(whole, width, float32Of(own), part)) return undefined;
    parts.push(part);
    from += part.count;
  }
  return from === width && elementCount(tensor.dims) > 0 ? parts : undefined;
};
