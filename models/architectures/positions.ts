import type { Value } from '../../graph/graph.ts';
import { type Emission, lookup } from '../blocks.ts';

/**
 * Rows of a position table as RoBERTa counts them: tokens that are no padding from `padding` + 1 on, padding itself at
 * `padding`. (batch, sequence, width)
 */
export const paddedPositions = (
  emission: Emission,
  name: string,
  dims: readonly [number, number],
  ids: Value,
  padding: number,
): Value => {
  const { builder } = emission;
  const isPadding = builder.op('Equal', [ids, builder.scalar('int64', padding)]);
  const kept = builder.op('Cast', [builder.op('Not', [isPadding])], { to: 7 });
  const count = builder.op('CumSum', [kept, builder.scalar('int64', 1)]);
  const positions = builder.op('Add', [builder.op('Mul', [count, kept]), builder.scalar('int64', padding)]);
  return lookup(emission, name, dims, positions);
};
