import type { Dim } from '../dim.ts';
import type { Graph, Node, Value } from '../graph.ts';
import type { Use } from '../op.ts';
import { type DType, elementCount, float32Of } from '../tensor.ts';

/** A role that an operator gives a weight before it is known whether the result ever meets the stream. */
interface Claim {
  readonly node: Node;
  readonly use: Use;
  readonly through: readonly Node[];
}

/** A weight inside a value that is made of weights and settings alone. */
export interface Carried {
  readonly weight: Value;
  /** Where each axis of the weight is in the value; undefined where it is in none. */
  readonly axes: readonly (number | undefined)[];
  /** The nodes between the weight and the value. */
  readonly through: readonly Node[];
  readonly claim?: Claim;
}

/**
 * What a value holds. The stream is what training flows through: float inputs, and rows of tables once they are computed
 * with; `raw` where no weight has touched it, `integers` where it is sums of integer products. `made` is made of weights and
 * settings, looked-up rows included. `data` is the rest: ids, masks, shapes, positions.
 */
export type Content =
  | { readonly kind: 'data' }
  | { readonly kind: 'stream'; readonly raw: boolean; readonly integers: boolean }
  | { readonly kind: 'made'; readonly of: readonly Carried[] };

export const data: Content = { kind: 'data' };

/** Element types that parameters are kept in. */
const carrying: ReadonlySet<DType> = new Set<DType>(
  'float32 float64 float16 bfloat16 int8 uint8 int4 uint4'.split(' ') as DType[],
);
const floating: ReadonlySet<DType> = new Set<DType>(['float32', 'float64', 'float16', 'bfloat16']);

export const isFloating = (dtype: DType | undefined): boolean => dtype !== undefined && floating.has(dtype);
export const isCarrying = (dtype: DType | undefined): boolean => dtype === undefined || carrying.has(dtype);

/** Whether a value is one number, whatever its rank. */
export const isSingle = (graph: Graph, value: Value): boolean =>
  graph.types.get(value)?.shape?.every((dim) => dim === 1) === true;

/** Whether a weight is kept in integers that something else scales. */
export const isEncoded = (graph: Graph, weight: Value): boolean => !isFloating(graph.weights.get(weight)?.dtype);

/** Axes of a weight along which it holds more than one number. */
export const longAxes = (dims: readonly number[]): readonly number[] =>
  dims.flatMap((dim, axis) => (dim === 1 ? [] : [axis]));

/** A number beside which no parameter is found: masks are made of such, and of infinities. */
const LARGEST_PARAMETER = 1e4;

/** So much less than nothing leaves next to no share of attention. */
const LEAST_MASKED = -16;

/** Whether numbers that are added say "never": a mask. Some say so with zeros and one number that is no more than low. */
const isMask = (numbers: Iterable<number>): boolean => {
  let low: number | undefined;
  let isTwoValued = true;
  for (const number of numbers) {
    if (!(Math.abs(number) < LARGEST_PARAMETER)) return true;
    if (number === 0) continue;
    low ??= number;
    isTwoValued &&= number === low;
  }
  return isTwoValued && low !== undefined && low <= LEAST_MASKED;
};

/** Whether a table of a graph is a mask. */
export const masks = (graph: Graph, weight: Value): boolean => {
  const tensor = graph.weights.get(weight);
  const isTable = tensor?.dtype === 'float32' && longAxes(tensor.dims).length > 1;
  return isTable && isMask(float32Of(tensor));
};

/** Which axis of a shape each of another becomes where sizes of one come and go, or the rank stays. */
export const alignedAxes = (
  from: readonly Dim[] | undefined,
  to: readonly Dim[] | undefined,
): readonly (number | undefined)[] => {
  if (from === undefined || to === undefined) return [];
  if (from.length === to.length) return from.map((_, axis) => axis);
  const long = (shape: readonly Dim[]): readonly number[] => shape.flatMap((dim, axis) => (dim === 1 ? [] : [axis]));
  const [before, after] = [long(from), long(to)];
  const same = before.length === after.length && before.every((axis, i) => from[axis] === to[after[i] ?? -1]);
  if (same) return from.map((_, axis) => after[before.indexOf(axis)]);
  const shift = to.length - from.length;
  return shift > 0 && from.every((dim, axis) => dim === 1 || dim === to[axis + shift])
    ? from.map((_, axis) => axis + shift)
    : [];
};

/** The whole weight as a value of its own. */
export const wholeOf = (graph: Graph, weight: Value): Carried => ({
  weight,
  axes: (graph.weights.get(weight)?.dims ?? []).map((_, axis) => axis),
  through: [],
});

/** The weight one node further on. */
export const movedOn = (carried: Carried, node: Node, moves: readonly (number | undefined)[]): Carried => ({
  ...carried,
  axes: carried.axes.map((axis) => (axis === undefined ? undefined : moves[axis])),
  through: carried.claim === undefined ? [...carried.through, node] : carried.through,
});

const named = (carried: Carried, axis: number): number | undefined => {
  const at = carried.axes.indexOf(axis);
  return at < 0 ? undefined : at;
};

/** A use in the axes of the weight itself; a matrix whose axes are lost on the way is a table. */
export const ownUse = (graph: Graph, carried: Carried, use: Use): Use => {
  const dims = graph.weights.get(carried.weight)?.dims ?? [];
  const last = longAxes(dims).at(-1) ?? Math.max(0, dims.length - 1);
  const { input } = use;
  if (use.kind === 'passed' || use.kind === 'fixed') return { input, kind: 'fixed' };
  if (use.kind !== 'linear') return { ...use, axis: named(carried, use.axis) ?? last };
  const [inner, outer] = [named(carried, use.inner), named(carried, use.outer)];
  return inner === undefined || outer === undefined ? { input, kind: 'table', axis: last } : { ...use, inner, outer };
};

/** Whether a weight holds one number alone. */
export const isLone = (graph: Graph, { weight }: Carried): boolean =>
  elementCount(graph.weights.get(weight)?.dims ?? []) === 1;
