import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { vector } from '../../graph/tensor.ts';

/** What positions turn by: (sequence, 1, head width) or (batch, sequence, 1, head width), to spread over heads. */
export interface Rotation {
  readonly cosine: Value;
  /** With the sign that the first half of each head needs. */
  readonly sine: Value;
}

/** theta^(-2 i / width) for i below width / 2, twice over, in float32 as PyTorch works it out. */
const frequencies = (theta: number, width: number): readonly number[] =>
  Array.from({ length: width }, (_, i) => {
    const exponent = Math.fround((2 * (i % (width / 2))) / width);
    return Math.fround(1 / Math.fround(theta ** exponent));
  });

/**
 * Angles of float positions (sequence) or (batch, sequence): worked out by the graph, since tables of 8,192 positions would
 * outweigh small models.
 */
export const rotationOf = (
  builder: GraphBuilder,
  positions: Value,
  { theta, width }: { readonly theta: number; readonly width: number },
): Rotation => {
  const rank = builder.type(positions).shape?.length ?? 1;
  const column = builder.op('Unsqueeze', [positions, builder.ints([rank, rank + 1])]); // (.., sequence, 1, 1)
  const angles = builder.op('Mul', [column, builder.constant(vector('float32', frequencies(theta, width)))]);
  const signs = Array.from({ length: width }, (_, i) => (i < width / 2 ? -1 : 1));
  const sine = builder.op('Mul', [builder.op('Sin', [angles]), builder.constant(vector('float32', signs))]);
  return { cosine: builder.op('Cos', [angles]), sine };
};

/**
 * Rotary positions (Su et al. 2021, arXiv 2104.09864), halves of each head turned against each other. Heads lie side by
 * side before and after, so that what follows is the attention that decant knows: (batch, sequence, heads * width).
 */
export const rotated = (
  builder: GraphBuilder,
  flat: Value,
  [heads, width]: readonly [number, number],
  { cosine, sine }: Rotation,
): Value => {
  const x = builder.op('Reshape', [flat, builder.ints([0, 0, heads, width])]); // (batch, sequence, heads, width)
  const halves = builder.ops('Split', [x], 2, { axis: -1, num_outputs: 2 });
  const swapped = builder.op('Concat', halves.toReversed(), { axis: -1 });
  const turned = builder.op('Add', [builder.op('Mul', [x, cosine]), builder.op('Mul', [swapped, sine])]);
  return builder.op('Reshape', [turned, builder.ints([0, 0, heads * width])]);
};
