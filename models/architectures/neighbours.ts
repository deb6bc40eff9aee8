import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';

const END = 2 ** 31 - 1;

/**
 * x (batch, sequence, width) as each token sees it from `reach` tokens before to `reach` after it, in that order; beyond the
 * ends there are zeros. 2 reach + 1 values of the shape of x.
 */
export const neighbours = (builder: GraphBuilder, x: Value, reach: number): readonly Value[] => {
  const padded = builder.op('Pad', [x, builder.ints([0, reach, 0, 0, reach, 0])]);
  return Array.from({ length: 2 * reach + 1 }, (_, offset) => {
    const left = 2 * reach - offset;
    const end = left === 0 ? END : -left;
    return builder.op('Slice', [padded, builder.ints([offset]), builder.ints([end]), builder.ints([1])]);
  });
};
