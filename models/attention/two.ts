import type { Value } from '../../graph/graph.ts';
import { dropout, MASKED_SCORE } from '../blocks.ts';
import type { Core, Place } from './kind.ts';
import { reshaped, sizeAt, stretch, widthOf } from './pieces.ts';

/** Blocks with an axis for heads: (batch, blocks, block, width) to (batch, blocks, heads, block, head width), or turned. */
export const headBlocks = (place: Place, x: Value, heads: number, turned = false): Value => {
  const apart = reshaped(place.builder, x, [0, 0, 0, heads, widthOf(place, x) / heads]);
  return place.builder.op('Transpose', [apart], { perm: turned ? [0, 1, 3, 4, 2] : [0, 1, 3, 2, 4] });
};

/** Scores of queries to keys of two sorts that one softmax runs over, and what mixes the values of each. */
interface Sort {
  /** Scaled and masked: (batch, blocks, heads, block, keys) */
  readonly scores: Value;
  /** Shares of the same shape to (batch, blocks, heads, block, head width). */
  mix(shares: Value): Value;
}

/** Shares over keys of two sorts, the first of which has a known number: (batch, blocks, heads, block, head width). */
export const mixedOfTwo = (place: Place, { dropout: ratio }: Core, near: Sort, far: Sort, count: number): Value => {
  const { builder } = place;
  const all = builder.op('Concat', [near.scores, far.scores], { axis: 4 });
  const shares = builder.op('Softmax', [all], { axis: -1 });
  const dropped = ratio === undefined ? shares : dropout({ builder }, shares, ratio);
  return builder.op('Add', [
    near.mix(stretch(builder, dropped, 4, 0, count)),
    far.mix(stretch(builder, dropped, 4, count)),
  ]);
};

/** The heads of blocks side by side again: (batch, blocks, heads, block, head width) to (batch, blocks * block, width). */
export const sideBySide = ({ builder }: Place, mixed: Value, width: number): Value => {
  const turned = builder.op('Transpose', [mixed], { perm: [0, 1, 3, 2, 4] });
  return reshaped(builder, turned, [0, -1, width]);
};

/** Hides what a block or row meets of itself: (blocks, 1, 1, blocks) beside a bias of keys (..., 1, 1, blocks). */
export const hidingItself = (place: Place, x: Value): Value => {
  const { builder } = place;
  const own = builder.op('Mul', [itself(place, x), builder.scalar('float32', MASKED_SCORE)]);
  return builder.op('Unsqueeze', [own, builder.ints([0, 2, 3])]);
};

/** 1 where a block meets itself, else 0: (blocks, blocks), as x (batch, blocks, ...) has blocks. */
const itself = ({ builder }: Place, x: Value): Value => {
  const blocks = sizeAt(builder, x, 1);
  const square = builder.op('Expand', [
    builder.scalar('float32', 0),
    builder.op('Concat', [blocks, blocks], { axis: 0 }),
  ]);
  return builder.op('EyeLike', [square]);
};
