import { addDims, type Dim } from '../../dim.ts';
import type { Value } from '../../graph.ts';
import type { Fused } from './fused.ts';

/** Angles of a rotation (Su et al., arXiv 2104.09864). */
export interface Angles {
  /** Cosines and sines as they broadcast against half of what is turned. */
  readonly cosines: Value;
  readonly sines: Value;
  /** Channels that are turned: the first of each head. */
  readonly turned: number;
  /** Channels of a head. */
  readonly width: number;
  /** Neighbours are turned together; else the first half with the second. */
  readonly interleaved: boolean;
}

const channels = ({ builder }: Fused, x: Value, from: number, to: number, step = 1): Value =>
  builder.op('Slice', [x, builder.ints([from]), builder.ints([to]), builder.ints([-1]), builder.ints([step])]);

const joined = ({ builder }: Fused, parts: readonly Value[], name?: string): Value =>
  builder.op('Concat', parts, { axis: -1 }, name);

/** y1 = x1 cos - x2 sin, y2 = x2 cos + x1 sin, with neighbours x1, x2. */
const turnNeighbours = (at: Fused, x: Value, { cosines, sines, turned }: Angles, name?: string): Value => {
  const { builder } = at;
  const mul = (a: Value, b: Value): Value => builder.op('Mul', [a, b]);
  const [even, odd] = [channels(at, x, 0, turned, 2), channels(at, x, 1, turned, 2)];
  const pair = [
    builder.op('Sub', [mul(even, cosines), mul(odd, sines)]),
    builder.op('Add', [mul(odd, cosines), mul(even, sines)]),
  ].map((part) => builder.op('Unsqueeze', [part, builder.ints([4])]));
  return builder.op('Reshape', [joined(at, pair), builder.ints([0, 0, 0, turned])], {}, name);
};

/** y = x cos + (-x2, x1) sin, as exporters write it. */
const turnHalves = (at: Fused, x: Value, { cosines, sines, turned }: Angles, name?: string): Value => {
  const { builder } = at;
  const [first, second] = [channels(at, x, 0, turned / 2), channels(at, x, turned / 2, turned)];
  const across = joined(at, [builder.op('Neg', [second]), first]);
  const [cos, sin] = [cosines, sines].map((half) => joined(at, [half, half]));
  if (cos === undefined || sin === undefined) throw new Error('two tables were joined');
  return builder.op('Add', [builder.op('Mul', [x, cos]), builder.op('Mul', [across, sin])], {}, name);
};

/** A value of rank 4, the channels of a head last, with its channels turned. */
export const rotated = (at: Fused, x: Value, angles: Angles, name?: string): Value => {
  const turn = angles.interleaved ? turnNeighbours : turnHalves;
  const { turned, width } = angles;
  if (turned === width) return turn(at, x, angles, name);
  return joined(at, [turn(at, channels(at, x, 0, turned), angles), channels(at, x, turned, width)], name);
};

/** The rows of both tables at some positions, with an axis for heads: (batch, .., half of what is turned). */
export const anglesAt = (
  { builder }: Fused,
  tables: readonly [Value, Value],
  positions: Value | undefined,
  headAxis: number,
): readonly [Value, Value] => {
  const [cosines, sines] = tables.map((table) => {
    const rows = positions === undefined ? table : builder.op('Gather', [table, positions], { axis: 0 });
    return builder.op('Unsqueeze', [rows, builder.ints([headAxis])]);
  });
  if (cosines === undefined || sines === undefined) throw new Error('there are two tables');
  return [cosines, sines];
};

/** Twice the width of a table. */
export const turnedBy = (size: Dim | undefined): number | undefined => {
  const twice = size === undefined ? undefined : addDims(size, size);
  return typeof twice === 'number' ? twice : undefined;
};
