import type { Value } from '../../graph/graph.ts';
import type { Core, Place } from './kind.ts';
import { reshaped, widthOf } from './pieces.ts';

/** 1 at keys and 0 at padding: (batch, sequence, 1). */
export const kept = (place: Place, { bias }: Pick<Core, 'bias'>): Value =>
  place.shared(`kept ${bias}`, () => reshaped(place.builder, place.builder.op('Exp', [bias]), [0, -1, 1]));

/** Keeps what queries divide by above zero where a text has no key at all. */
const LEAST = 1e-12;

/** Queries and keys as features, none of them negative, and values. */
interface Features {
  /** (batch, heads, sequence, features) */
  readonly queries: Value;
  /** (batch, heads, features, sequence), 0 at padding */
  readonly keys: Value;
  /** (batch, heads, sequence, width) */
  readonly values: Value;
}

/** Q (K V) / (Q K 1): products of features in the order that never makes scores. (batch, sequence, heads * width) */
export const divided = (place: Place, { value }: Core, { queries, keys, values }: Features): Value => {
  const { builder } = place;
  const sums = builder.op('MatMul', [keys, values]); // (batch, heads, features, width)
  const all = builder.op('ReduceSum', [keys, builder.ints([3])], { keepdims: 1 }); // (batch, heads, features, 1)
  const by = builder.op('Add', [builder.op('MatMul', [queries, all]), builder.scalar('float32', LEAST)]);
  const mixed = builder.op('Div', [builder.op('MatMul', [queries, sums]), by]);
  return reshaped(builder, builder.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), [0, 0, widthOf(place, value)]);
};
