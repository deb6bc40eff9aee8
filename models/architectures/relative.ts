import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { vector } from '../../graph/tensor.ts';
import { positionIds } from '../blocks.ts';

/** How far each query stands behind each key: (sequence) to (sequence, sequence). */
export const distances = (builder: GraphBuilder, positions: Value): Value => {
  const queries = builder.op('Unsqueeze', [positions, builder.ints([1])]);
  return builder.op('Sub', [queries, builder.op('Unsqueeze', [positions, builder.ints([0])])]);
};

/**
 * A number for the distance of each query and key, of at most `limit` positions, whatever the length of the texts: (sequence, sequence). The numbers of
 * all distances are counted out once, so that no logarithm runs in the graph and none rounds otherwise than PyTorch's.
 */
export const distanceIds = (
  builder: GraphBuilder,
  ids: Value,
  limit: number,
  idOf: (distance: number) => number,
): Value => {
  const numbers = Array.from({ length: 2 * limit - 1 }, (_, i) => idOf(i - limit + 1));
  const far = distances(builder, positionIds(builder, ids, limit));
  const shifted = builder.op('Add', [far, builder.scalar('int64', limit - 1)]);
  return builder.op('Gather', [builder.constant(vector('int64', numbers)), shifted]);
};

/** log(a) / log(b) as PyTorch works it out of float32 numbers: buckets end where it rounds. */
const logRatio = (a: number, b: number): number =>
  Math.fround(Math.fround(Math.log(Math.fround(a))) / Math.fround(Math.log(Math.fround(b))));

/** Of MPNet: sixteen buckets on either side, of which eight are one distance each, the last begins at 128. */
const SIDE = 16;
const EXACT = 8;
const FARTHEST = 128;

/**
 * Buckets of T5 (Raffel et al. 2019, arXiv 1910.10683) as MPNet has them: the first for keys in front of the query, the others
 * for those behind it; near distances one bucket each, far ones in steps of their logarithm.
 */
export const sidedBucket = (distance: number): number => {
  const far = Math.abs(distance);
  const start = distance < 0 ? SIDE : 0;
  if (far < EXACT) return start + far;
  const steps = Math.fround(logRatio(far / EXACT, FARTHEST / EXACT) * (SIDE - EXACT));
  return start + Math.min(SIDE - 1, EXACT + Math.trunc(steps));
};

/** Of DeBERTa (He et al. 2021, arXiv 2111.09543): near distances as they are, far ones in steps of their logarithm. */
export const signedBucket = (distance: number, buckets: number, limit: number): number => {
  const middle = Math.floor(buckets / 2);
  const far = Math.abs(distance);
  if (far <= middle) return distance;
  const steps = Math.ceil(Math.fround(logRatio(far / middle, (limit - 1) / middle) * (middle - 1)));
  return Math.sign(distance) * (steps + middle);
};
