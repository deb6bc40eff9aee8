import type { Value } from '../../graph.ts';
import { scalarSizeOf } from '../../ops/shared-emit.ts';
import { type Fused, scalarLike, times } from './fused.ts';

/** What stands for "not at all" among numbers that are added to scores: softmax makes zero of it. */
export const LOWEST = -3.4028234663852886e38;

/** (batch, length, heads, width) to (batch, heads, length, width), and back. */
export const exchanged = ({ builder }: Fused, x: Value, name?: string): Value =>
  builder.op('Transpose', [x], { perm: [0, 2, 1, 3] }, name);

/** (batch, length, heads * width) to (batch, heads, length, width). */
export const apart = (at: Fused, x: Value, heads: number, width: number): Value =>
  exchanged(at, at.builder.op('Reshape', [x, at.builder.ints([0, 0, heads, width])]));

/** (batch, heads, length, width) to (batch, length, heads * width), which is `width`. */
export const together = (at: Fused, x: Value, width: number, name?: string): Value =>
  at.builder.op('Reshape', [exchanged(at, x), at.builder.ints([0, 0, width])], {}, name);

/** Keys or values of a group of heads, once for each head: (batch, groups, length, width) to (batch, heads, length, width). */
export const shared = ({ builder }: Fused, x: Value, groups: number, heads: number, width: number): Value => {
  if (groups === heads) return x;
  const own = builder.op('Unsqueeze', [x, builder.ints([2])]); // (batch, groups, 1, length, width)
  const every = builder.op('Expand', [own, builder.ints([1, 1, heads / groups, 1, 1])]);
  return builder.op('Reshape', [every, builder.ints([0, heads, -1, width])]);
};

/** What is cached, then what is new: (batch, heads, past + length, width). */
export const behind = ({ builder }: Fused, past: Value | undefined, x: Value, name?: string): Value =>
  past === undefined ? x : builder.op('Concat', [past, x], { axis: 2 }, name);

/** scale Q K^T: (batch, heads, queries, keys). */
export const scoresOf = (at: Fused, query: Value, key: Value, scale: number): Value => {
  const keys = at.builder.op('Transpose', [key], { perm: [0, 1, 3, 2] });
  return times(at, at.builder.op('MatMul', [query, keys]), scale);
};

/** cap tanh(x / cap); no cap where it is zero. */
export const capped = (at: Fused, scores: Value, cap: number, name?: string): Value =>
  cap === 0
    ? scores
    : at.builder.op(
        'Mul',
        [at.builder.op('Tanh', [times(at, scores, 1 / cap)]), scalarLike(at, scores, cap)],
        {},
        name,
      );

export const plus = ({ builder }: Fused, x: Value, addend: Value | undefined, name?: string): Value =>
  addend === undefined ? x : builder.op('Add', [x, addend], {}, name);

/** Shares of every key times its values. */
export const mixed = ({ builder }: Fused, scores: Value, value: Value, name?: string): Value =>
  builder.op('MatMul', [builder.op('Softmax', [scores], { axis: -1 }), value], {}, name);

/** The length of an axis as a number. */
export const lengthOf = ({ builder }: Fused, x: Value, axis: number): Value => scalarSizeOf(builder, x, axis);

/** As many numbers as an axis is long, from `first` on: (length). */
export const counted = (at: Fused, x: Value, axis: number, first?: Value): Value => {
  const { builder } = at;
  const length = lengthOf(at, x, axis);
  const end = first === undefined ? length : builder.op('Add', [first, length]);
  return builder.op('Range', [first ?? builder.scalar('int64', 0), end, builder.scalar('int64', 1)]);
};

/** Whether a query may look at a key, (queries, keys): those up to its own position, where the first query is at `first`. */
export const causal = (at: Fused, query: Value, key: Value, first?: Value): Value => {
  const { builder } = at;
  const own = builder.op('Unsqueeze', [counted(at, query, 2, first), builder.ints([1])]);
  return builder.op('LessOrEqual', [counted(at, key, 2), own]);
};

/** The position of the first query where the last one is that of the last key. */
export const firstQuery = (at: Fused, query: Value, key: Value): Value =>
  at.builder.op('Sub', [lengthOf(at, key, 2), lengthOf(at, query, 2)]);

/** What is added to scores: nothing, or `other`, where a query may look at a key, and what leaves nothing elsewhere. */
export const unseen = (at: Fused, visible: Value, like: Value, other?: Value): Value =>
  at.builder.op('Where', [visible, other ?? scalarLike(at, like, 0), scalarLike(at, like, LOWEST)]);
