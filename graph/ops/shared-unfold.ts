import type { Value } from '../graph.ts';
import type { Emit } from '../op.ts';
import { entryOf, sizesVector, unsqueeze } from './shared-emit.ts';
import type { Walk } from './shared-walks.ts';

/** Two neighbouring axes as one. */
const merged = (emit: Emit, x: Value, axis: number): Value => {
  const rank = emit.type(x).shape?.length ?? 0;
  const behind = Array.from({ length: rank - axis - 2 }, (_, i) => entryOf(emit, x, axis + 2 + i));
  const target = [...Array.from({ length: axis }, () => 0), -1, ...behind];
  return emit.op('Reshape', [x, sizesVector(emit, target)]);
};

/** An axis of `places * kernel` as two. */
const parted = (emit: Emit, x: Value, axis: number, kernel: number): Value => {
  const rank = emit.type(x).shape?.length ?? 0;
  const behind = Array.from({ length: rank - axis - 1 }, (_, i) => entryOf(emit, x, axis + 1 + i));
  const target = [...Array.from({ length: axis }, () => 0), -1, kernel, ...behind];
  return emit.op('Reshape', [x, sizesVector(emit, target)]);
};

/** Zeros before and after one axis. */
const padded = (emit: Emit, x: Value, axis: number, before: number, after: number): Value => {
  if (before === 0 && after === 0) return x;
  const rank = emit.type(x).shape?.length ?? 0;
  const side = (size: number): number[] => Array.from({ length: rank }, (_, at) => (at === axis ? size : 0));
  return emit.op('Pad', [x, emit.ints([...side(before), ...side(after)])]);
};

/** `from + length * step` as a vector, where the length is that of an axis of some value. */
const boundary = (emit: Emit, of: Value, axis: number, step: number, from: number): Value => {
  const size = entryOf(emit, of, axis);
  if (typeof size === 'number') return emit.ints([from + size * step]);
  const end = emit.op('Mul', [sizesVector(emit, [size]), emit.ints([step])]);
  return from === 0 ? end : emit.op('Add', [end, emit.ints([from])]);
};

const sliced = (emit: Emit, x: Value, axis: number, from: number, end: Value, step = 1): Value =>
  emit.op('Slice', [x, emit.ints([from]), end, emit.ints([axis]), emit.ints([step])]);

/** A kernel that never looks twice at an element, nor leaves any out between. */
const tiles = ({ kernel, stride, dilation, before, after }: Walk): boolean =>
  kernel === stride && dilation === 1 && before === 0 && after === 0;

/**
 * What a kernel sees at each place along an axis: (.., length, ..) to (.., places, kernel, ..). `y` has the places, at
 * `placesAxis`.
 */
const unfolded = (emit: Emit, x: Value, axis: number, walk: Walk, y: Value, placesAxis: number): Value => {
  const { kernel, stride, dilation, before, after } = walk;
  if (tiles(walk))
    return parted(emit, sliced(emit, x, axis, 0, boundary(emit, y, placesAxis, kernel, 0)), axis, kernel);
  // Far enough that the last step has its whole stride.
  const wide = padded(emit, x, axis, before, after + stride - 1);
  const seen = Array.from({ length: kernel }, (_, k) => {
    const from = k * dilation;
    const at = sliced(emit, wide, axis, from, boundary(emit, y, placesAxis, stride, from), stride);
    return unsqueeze(emit, at, [axis + 1]);
  });
  return seen.length === 1 && seen[0] !== undefined ? seen[0] : emit.op('Concat', seen, { axis: axis + 1 });
};

/** Its transpose: each element of an axis of `like` gets the sum of what was made of it. (.., places, kernel, ..) to (.., length, ..). */
const folded = (emit: Emit, x: Value, axis: number, walk: Walk, like: Value): Value => {
  const { kernel, stride, dilation, before } = walk;
  const length = (from: number): Value => boundary(emit, like, axis, 1, from);
  if (tiles(walk)) return sliced(emit, padded(emit, merged(emit, x, axis), axis, 0, kernel - 1), axis, 0, length(0));
  const parts = Array.from({ length: kernel }, (_, k) => {
    const at = emit.op('Gather', [x, emit.scalar('int64', k)], { axis: axis + 1 });
    const apart =
      stride === 1 ? at : merged(emit, padded(emit, unsqueeze(emit, at, [axis + 1]), axis + 1, 0, stride - 1), axis);
    return padded(emit, apart, axis, k * dilation, (kernel - 1 - k) * dilation);
  });
  const sum = parts.length === 1 && parts[0] !== undefined ? parts[0] : emit.op('Sum', parts);
  // The padding may reach further than the last place that a stride leads to.
  const whole = padded(emit, sum, axis, 0, walk.after + stride);
  return sliced(emit, whole, axis, before, length(before));
};

/** What every place sees of x: (batch, channels, places, kernel, places, kernel ..). */
export const seenBy = (emit: Emit, x: Value, y: Value, walks: readonly Walk[]): Value =>
  walks.reduceRight((seen, walk, i) => unfolded(emit, seen, i + 2, walk, y, i + 2), x);

/** Its transpose: the sum of all that was made of each element of x. */
export const foldedAll = (emit: Emit, seen: Value, walks: readonly Walk[], x: Value): Value =>
  walks.reduce((sum, walk, i) => folded(emit, sum, i + 2, walk, x), seen);

/** The axes of what every place sees. */
export const placeAxes = (walks: readonly Walk[]): readonly number[] => walks.map((_, i) => 2 + 2 * i);
export const kernelAxes = (walks: readonly Walk[]): readonly number[] => walks.map((_, i) => 3 + 2 * i);
