import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { vector } from '../../graph/tensor.ts';
import { positionIds } from '../blocks.ts';

/** How far each query stands behind each key: (queries) and (keys), the same where nothing is said, to (queries, keys). */
export const distances = (builder: GraphBuilder, positions: Value, keys = positions): Value => {
  const queries = builder.op('Unsqueeze', [positions, builder.ints([1])]);
  return builder.op('Sub', [queries, builder.op('Unsqueeze', [keys, builder.ints([0])])]);
};

/** A number for each distance, all of which are below `limit`. */
export const numbersOf = (
  builder: GraphBuilder,
  far: Value,
  limit: number,
  idOf: (distance: number) => number,
): Value => {
  const numbers = Array.from({ length: 2 * limit - 1 }, (_, i) => idOf(i - limit + 1));
  const shifted = builder.op('Add', [far, builder.scalar('int64', limit - 1)]);
  return builder.op('Gather', [builder.constant(vector('int64', numbers)), shifted]);
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
  return numbersOf(builder, distances(builder, positionIds(builder, ids, limit)), limit, idOf);
};

/** log(a) / log(b) as PyTorch works it out of float32 numbers: buckets end where it rounds. */
const logRatio = (a: number, b: number): number =>
  Math.fround(Math.fround(Math.log(Math.fround(a))) / Math.fround(Math.log(Math.fround(b))));

/** How T5 puts distances into buckets (Raffel et al. 2019, arXiv 1910.10683). */
export interface Buckets {
  readonly buckets: number;
  /** Distances from this one on share the last bucket. */
  readonly farthest: number;
  /** Whether keys behind the query have buckets of their own, half of all; else they are taken for the query itself. */
  readonly sided: boolean;
}

/**
 * The bucket of a key that stands so far in front of its query: near distances have one each, half of them, and far ones follow in
 * steps of their logarithm.
 */
export const bucketOf = (distance: number, { buckets, farthest, sided }: Buckets): number => {
  const side = sided ? buckets / 2 : buckets;
  const exact = Math.floor(side / 2);
  const far = sided ? Math.abs(distance) : Math.max(0, distance);
  const start = sided && distance < 0 ? side : 0;
  if (far < exact) return start + far;
  const steps = Math.fround(logRatio(far / exact, farthest / exact) * (side - exact));
  return start + Math.min(side - 1, exact + Math.trunc(steps));
};

/** Of MPNet: sixteen buckets on either side, the last of which begins at 128. */
export const sidedBucket = (distance: number): number =>
  bucketOf(distance, { buckets: 32, farthest: 128, sided: true });

/** Of DeBERTa (He et al. 2021, arXiv 2111.09543): near distances as they are, far ones in steps of their logarithm. */
export const signedBucket = (distance: number, buckets: number, limit: number): number => {
  const middle = Math.floor(buckets / 2);
  const far = Math.abs(distance);
  if (far <= middle) return distance;
  const steps = Math.ceil(Math.fround(logRatio(far / middle, (limit - 1) / middle) * (middle - 1)));
  return Math.sign(distance) * (steps + middle);
};
