import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { vector } from '../../graph/tensor.ts';
import type { Turns } from './rope.ts';

/** What positions turn by: (sequence, 1, width) or (batch, sequence, 1, width), to spread over heads. */
export interface Rotation {
  readonly cosine: Value;
  /** With the sign that the first half of each head needs. */
  readonly sine: Value;
  /** How many numbers of each head are turned: all, or the first ones. */
  readonly width: number;
}

const scaled = (builder: GraphBuilder, x: Value, factor: number): Value =>
  factor === 1 ? x : builder.op('Mul', [x, builder.scalar('float32', factor)]);

/**
 * Angles of float positions (sequence) or (batch, sequence): worked out by the graph, since tables of 8,192 positions would
 * outweigh small models.
 */
export const rotationOf = (
  builder: GraphBuilder,
  positions: Value,
  { frequencies: halves, factor }: Turns,
): Rotation => {
  const rank = builder.type(positions).shape?.length ?? 1;
  const frequencies = [...halves, ...halves];
  const column = builder.op('Unsqueeze', [positions, builder.ints([rank, rank + 1])]); // (.., sequence, 1, 1)
  const angles = builder.op('Mul', [column, builder.constant(vector('float32', frequencies))]);
  const signs = frequencies.map((_, i) => (i < halves.length ? -factor : factor));
  const sine = builder.op('Mul', [builder.op('Sin', [angles]), builder.constant(vector('float32', signs))]);
  return { cosine: scaled(builder, builder.op('Cos', [angles]), factor), sine, width: frequencies.length };
};

/** Halves of each head turned against each other: x of (batch, sequence, heads, width). */
const turned = (builder: GraphBuilder, x: Value, { cosine, sine }: Rotation): Value => {
  const halves = builder.ops('Split', [x], 2, { axis: -1, num_outputs: 2 });
  const swapped = builder.op('Concat', halves.toReversed(), { axis: -1 });
  return builder.op('Add', [builder.op('Mul', [x, cosine]), builder.op('Mul', [swapped, sine])]);
};

/**
 * Rotary positions (Su et al. 2021, arXiv 2104.09864), halves of each head turned against each other. Heads lie side by
 * side before and after, so that what follows is the attention that decant knows: (batch, sequence, heads * width).
 */
export const rotated = (
  builder: GraphBuilder,
  flat: Value,
  [heads, width]: readonly [number, number],
  rotation: Rotation,
): Value => {
  const x = builder.op('Reshape', [flat, builder.ints([0, 0, heads, width])]); // (batch, sequence, heads, width)
  const flatten = (all: Value): Value => builder.op('Reshape', [all, builder.ints([0, 0, heads * width])]);
  if (rotation.width === width) return flatten(turned(builder, x, rotation));
  const sizes = builder.ints([rotation.width, width - rotation.width]);
  const [first = x, ...others] = builder.ops('Split', [x, sizes], 2, { axis: -1 });
  return flatten(builder.op('Concat', [turned(builder, first, rotation), ...others], { axis: -1 }));
};
