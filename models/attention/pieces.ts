import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { attend, MASKED_SCORE, splitHeads, splitKeys } from '../blocks.ts';
import type { Core, Place } from './kind.ts';

/** A size as an int64 vector of one element. */
export const sizeAt = (builder: GraphBuilder, x: Value, axis: number): Value =>
  builder.op('Shape', [x], { start: axis, end: axis + 1 });

/** Positions that fill a sequence up to a multiple: int64, one element. */
const lacking = (builder: GraphBuilder, length: Value, multiple: number): Value => {
  const blocks = builder.op('Div', [
    builder.op('Add', [length, builder.ints([multiple - 1])]),
    builder.ints([multiple]),
  ]);
  return builder.op('Sub', [builder.op('Mul', [blocks, builder.ints([multiple])]), length]);
};

/** x with its positions along an axis filled up to a multiple, and `before` and `after` more on both sides. */
export const filledUp = (
  { builder }: Pick<Place, 'builder'>,
  x: Value,
  { axis, multiple, fill = 0, before = 0, after = 0 }: Filling,
): Value => {
  const rest = lacking(builder, sizeAt(builder, x, axis), multiple);
  const behind = after === 0 ? rest : builder.op('Add', [rest, builder.ints([after])]);
  const pads = builder.op('Concat', [builder.ints([before]), behind], { axis: 0 });
  return builder.op('Pad', [x, pads, builder.scalar('float32', fill), builder.ints([axis])]);
};

interface Filling {
  readonly axis: number;
  readonly multiple: number;
  /** What stands in what is added. */
  readonly fill?: number;
  readonly before?: number;
  readonly after?: number;
}

/** The first positions of x (batch, positions, width), as many as `like` has. */
export const cutTo = ({ builder }: Pick<Place, 'builder'>, x: Value, like: Value): Value =>
  builder.op('Slice', [x, builder.ints([0]), sizeAt(builder, like, 1), builder.ints([1])]);

/** A stretch of an axis; to its end where no end is said. */
export const stretch = (builder: GraphBuilder, x: Value, axis: number, start: number, end = 2 ** 31 - 1): Value =>
  builder.op('Slice', [x, builder.ints([start]), builder.ints([end]), builder.ints([axis])]);

export const reshaped = (builder: GraphBuilder, x: Value, dims: readonly number[]): Value =>
  builder.op('Reshape', [x, builder.ints(dims)]);

/** Width of all heads together. */
export const widthOf = ({ builder }: Pick<Place, 'builder'>, x: Value): number => {
  const width = builder.type(x).shape?.at(-1);
  if (typeof width !== 'number') throw new TypeError(`'${x}' has no known width`);
  return width;
};

/** Keys that only some queries see: a mask of the layout as numbers to add. */
export const maskOf = (
  { builder }: Pick<Place, 'builder'>,
  dims: readonly number[],
  sees: (indices: readonly number[]) => boolean,
): Value => {
  const count = dims.reduce((a, b) => a * b, 1);
  const indicesAt = (flat: number): readonly number[] => {
    let rest = flat;
    return dims.toReversed().map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    });
  };
  const numbers = Float32Array.from({ length: count }, (_, i) => (sees(indicesAt(i).toReversed()) ? 0 : MASKED_SCORE));
  return builder.constant(tensorOf('float32', dims, numbers));
};

/** Softmax attention over operands with heads side by side: (rows, queries, width), (rows, keys, width). */
export const attended = (
  { builder }: Pick<Place, 'builder'>,
  core: Pick<Core, 'query' | 'key' | 'value' | 'heads' | 'scale' | 'bias' | 'dropout'>,
): Value => {
  const { heads, scale, bias, dropout } = core;
  const sizes = (x: Value): readonly [number, number] => [heads, widthOf({ builder }, x) / heads];
  return attend(
    { builder },
    {
      query: splitHeads(builder, core.query, sizes(core.query)),
      key: splitKeys(builder, core.key, sizes(core.key)),
      value: splitHeads(builder, core.value, sizes(core.value)),
      ...{ heads, headWidth: widthOf({ builder }, core.value) / heads, scale, bias },
      ...(dropout === undefined ? {} : { dropout }),
    },
  );
};
