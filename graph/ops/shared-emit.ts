import type { Shape } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Emit } from '../op.ts';
import { dtypeNumber, isNumeric } from './shared-structure.ts';

/** Axes of size one added. */
export const unsqueeze = (emit: Emit, x: Value, axes: readonly number[]): Value =>
  axes.length === 0 ? x : emit.op('Unsqueeze', [x, emit.ints(axes)]);

/** Axes of size one dropped. */
export const squeeze = (emit: Emit, x: Value, axes: readonly number[]): Value =>
  axes.length === 0 ? x : emit.op('Squeeze', [x, emit.ints(axes)]);

/** One entry of a shape that is put together at run time: a number, or the size of a value's axis. */
export type SizeEntry = number | { readonly of: Value; readonly axis: number };

/** An int64 vector of sizes; constant where all entries are numbers. */
export const sizesVector = (emit: Emit, entries: readonly SizeEntry[]): Value => {
  const numbers = entries.filter((entry) => typeof entry === 'number');
  if (numbers.length === entries.length) return emit.ints(numbers);
  const parts = entries.map((entry) =>
    typeof entry === 'number' ? emit.ints([entry]) : sizeOf(emit, entry.of, entry.axis),
  );
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : emit.op('Concat', parts, { axis: 0 });
};

/** The size of one axis as an int64 vector of one element. */
export const sizeOf = (emit: Emit, value: Value, axis: number): Value => {
  const size = emit.type(value).shape?.[axis];
  return typeof size === 'number' ? emit.ints([size]) : emit.op('Shape', [value], { start: axis, end: axis + 1 });
};

/** The size of one axis as a size entry. */
export const entryOf = (emit: Emit, value: Value, axis: number): SizeEntry => {
  const size = emit.type(value).shape?.[axis];
  return typeof size === 'number' ? size : { of: value, axis };
};

/** The size of one axis as an int64 scalar, for Range. */
export const scalarSizeOf = (emit: Emit, value: Value, axis: number): Value => {
  const size = emit.type(value).shape?.[axis];
  return typeof size === 'number'
    ? emit.scalar('int64', size)
    : emit.op('Gather', [emit.op('Shape', [value]), emit.scalar('int64', axis)]);
};

/** Constant entries (0 copies, one -1) that reshape `from` to `to`, or undefined where they cannot say it. */
export const reshapeEntries = (from: Shape, to: Shape): readonly number[] | undefined => {
  if (to.includes(0)) return undefined;
  let holes = 0;
  const entries = to.map((dim, axis) => {
    if (typeof dim === 'number') return dim;
    if (from[axis] === dim) return 0;
    holes++;
    return -1;
  });
  return holes <= 1 ? entries : undefined;
};

/** `value` in the shape of `like`: a constant target where 0 and -1 can express it, else its Shape. */
export const reshapeLike = (emit: Emit, value: Value, like: Value): Value => {
  const from = emit.type(value).shape;
  const to = emit.type(like).shape;
  const entries = from === undefined || to === undefined ? undefined : reshapeEntries(from, to);
  if (entries !== undefined) return emit.op('Reshape', [value, emit.ints(entries)]);
  const empty = to?.includes(0) === true ? { allowzero: 1 } : {};
  return emit.op('Reshape', [value, emit.shapeOf(like)], empty);
};

/** `value` under the very dimensions of `like`, where inference named equal sizes differently. */
export const named = (emit: Emit, value: Value, like: Value): Value =>
  emit.type(value).shape?.join() === emit.type(like).shape?.join() ? value : reshapeLike(emit, value, like);

/** Zeros of the type and shape of `like`. */
export const zerosLike = (emit: Emit, like: Value): Value => {
  const zero = emit.scalar(emit.type(like).dtype, 0);
  return emit.op('Expand', [zero, emit.shapeOf(like)]);
};

/** Moves one axis of a value of known rank to another place. */
export const moveAxis = (emit: Emit, value: Value, rank: number, from: number, to: number): Value => {
  if (from === to) return value;
  const perm = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== from);
  perm.splice(to, 0, from);
  return emit.op('Transpose', [value], { perm });
};

/** Puts dy back into zeros of the shape of `like`: `before[axis]` zeros come first, the rest after. */
export const padLike = (emit: Emit, dy: Value, like: Value, before: readonly number[]): Value => {
  const whole = emit.type(like).shape;
  const part = emit.type(dy).shape;
  if (whole !== undefined && part !== undefined && isNumeric(whole) && isNumeric(part)) {
    const after = whole.map((size, axis) => size - (part[axis] ?? 0) - (before[axis] ?? 0));
    return emit.op('Pad', [dy, emit.ints([...before, ...after])]);
  }
  const start = emit.ints(before);
  const used = emit.op('Add', [emit.op('Shape', [dy]), start]);
  const after = emit.op('Sub', [emit.shapeOf(like), used]);
  return emit.op('Pad', [dy, emit.op('Concat', [start, after], { axis: 0 })]);
};

/** Indices counted from the end made to count from the start: ids + n where ids < 0. */
export const normalizedIds = (emit: Emit, ids: Value, size: Value): Value => {
  const dtype = emit.type(ids).dtype;
  const wide = dtype === 'int64' ? ids : emit.op('Cast', [ids], { to: 7 });
  const negative = emit.op('Less', [wide, emit.scalar('int64', 0)]);
  return emit.op('Where', [negative, emit.op('Add', [wide, size]), wide]);
};

/**
 * dx of y = x[ids] over rows: rows of dy that share an id are summed and land in zeros of (n, width).
 *
 *   u = unique(ids);  S = [u_i = ids_j];  dx[u] = S dy
 *
 * The sum is a MatMul and the scatter meets every row once: ScatterND with reduction add loses updates when several
 * threads hit one row. `ids` is (k) int64 without negative entries, `rows` (k, width), `size` n as an int64 vector.
 */
export const sumRows = (emit: Emit, ids: Value, rows: Value, size: Value): Value => {
  const { dtype, shape } = emit.type(rows);
  const unique = emit.ops('Unique', [ids], 1, { sorted: 1 })[0] ?? ids; // (u)
  const column = emit.op('Reshape', [unique, emit.ints([-1, 1])]); // (u, 1)
  const same = emit.op('Equal', [column, emit.op('Reshape', [ids, emit.ints([1, -1])])]); // (u, k)
  const sums = emit.op('MatMul', [emit.op('Cast', [same], { to: dtypeNumber(dtype) }), rows]); // (u, width)
  const width = shape?.[1];
  const dims = emit.op('Concat', [size, typeof width === 'number' ? emit.ints([width]) : sizeOf(emit, rows, 1)], {
    axis: 0,
  });
  const zeros = emit.op('Expand', [emit.scalar(dtype, 0), dims]); // (n, width)
  return emit.op('ScatterND', [zeros, column, sums]);
};
