import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { vector } from '../../graph/tensor.ts';
import { positionIds } from '../blocks.ts';

/** How far each query stands behind each key, of at most `limit` positions: (sequence, sequence). */
export const distances = (builder: GraphBuilder, ids: Value, limit: number): Value => {
  const positions = positionIds(builder, ids, limit);
  const queries = builder.op('Unsqueeze', [positions, builder.ints([1])]);
  return builder.op('Sub', [queries, builder.op('Unsqueeze', [positions, builder.ints([0])])]);
};

/**
 * A number for the distance of each query and key, whatever the length of the texts: (sequence, sequence). The numbers of
 * all distances are counted out once, so that no logarithm runs in the graph and none rounds otherwise than PyTorch's.
 */
export const distanceIds = (
  builder: GraphBuilder,
  ids: Value,
  limit: number,
  idOf: (distance: number) => number,
): Value => {
  const numbers = Array.from({ length: 2 * limit - 1 }, (_, i) => idOf(i - limit + 1));
  const shifted = builder.op('Add', [distances(builder, ids, limit), builder.scalar('int64', limit - 1)]);
  return builder.op('Gather', [builder.constant(vector('int64', numbers)), shifted]);
};

/** log(a) / log(b) as PyTorch works it out of float32 numbers: buckets end where it rounds. */
export const logRatio = (a: number, b: number): number =>
  Math.fround(Math.fround(Math.log(Math.fround(a))) / Math.fround(Math.log(Math.fround(b))));
