import type { Dim, Shape } from '../dim.ts';
import type { Call, Inferred } from '../op.ts';
import { type DType, isInt32, isWhole } from '../tensor.ts';
import { inferBroadcast } from './shared-math.ts';
import { broadcastInts, stridesOf, withInts } from './shared-structure.ts';

/** What becomes of two sizes; undefined where that is not known. */
export type Arithmetic = (a: Dim, b: Dim) => Dim | undefined;

/** What the runtime would get, too: doubles and symbols neither round nor wrap around. */
const holds = (dtype: DType, dim: Dim | undefined): boolean =>
  dim !== undefined && (typeof dim !== 'number' || (dtype === 'int32' ? isInt32(dim) : isWhole(dim)));

const exact =
  (compute: Arithmetic, dtype: DType): Arithmetic =>
  (a, b) => {
    const result = holds(dtype, a) && holds(dtype, b) ? compute(a, b) : undefined;
    return holds(dtype, result) ? result : undefined;
  };

const spread = (call: Call, position: number, to: Shape): readonly Dim[] | undefined => {
  const ints = call.ints(position);
  const from = call.inputs[position]?.shape;
  return ints === undefined || from === undefined ? undefined : broadcastInts(ints, from, to);
};

/** Broadcast inference that also computes with small integer vectors, so that shapes stay known through arithmetic. */
export const inferInts =
  (compute: Arithmetic) =>
  (call: Call): readonly Inferred[] => {
    const [type] = inferBroadcast(call);
    if (type?.shape === undefined || (type.dtype !== 'int64' && type.dtype !== 'int32')) return type ? [type] : [];
    const a = spread(call, 0, type.shape);
    const b = spread(call, 1, type.shape);
    if (a === undefined || b === undefined) return [type];
    const ints = a.map((x, i) => exact(compute, type.dtype)(x, b[i] ?? 0)).filter((dim) => dim !== undefined);
    return [withInts(type, ints.length === a.length ? ints : undefined)];
  };

export const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/**
 * Small integers of any shape in the order of an output that moves them: `picked[k][i]` is the index along axis `axes[k]` of the
 * input that index i along axis k of the output stands for.
 */
export const movedInts = (
  ints: readonly Dim[],
  from: readonly number[],
  axes: readonly number[],
  picked: readonly (readonly number[])[],
): readonly Dim[] => {
  const strides = stridesOf(from);
  const flat = picked.reduce<readonly number[]>(
    (starts, indices, k) => starts.flatMap((start) => indices.map((i) => start + i * (strides[axes[k] ?? 0] ?? 1))),
    [0],
  );
  return flat.map((at) => ints[at] ?? 0);
};
