import { refusal } from '../../ground/errors.ts';
import type { Dim } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Inferred, OpDef, Resize, Use } from '../op.ts';
import { vector } from '../tensor.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import { moveAxis, normalizedIds, padLike, reshapeLike, sizeOf, sumRows, unsqueeze } from './shared-emit.ts';
import {
  inputOf,
  intAttr,
  isNumeric,
  noMacs,
  normalizeAxis,
  numbersAt,
  stridesOf,
  withInts,
} from './shared-structure.ts';
import { lookedUp } from './shared-uses.ts';

const axisOf = (call: Call, rank: number): number => normalizeAxis(call, intAttr(call.node, 'axis', 0), rank);

const pick = (call: Call): readonly Dim[] | undefined => {
  const from = call.ints(0);
  const ids = numbersAt(call, 1);
  if (from === undefined || ids === undefined || call.inputs[0]?.shape?.length !== 1) return undefined;
  const picked = ids.map((id) => from[id < 0 ? id + from.length : id]).filter((dim) => dim !== undefined);
  return picked.length === ids.length ? picked : undefined;
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const ids = inputOf(call, 1).shape;
  if (shape === undefined || ids === undefined) return [{ dtype, shape: undefined }];
  const axis = axisOf(call, shape.length);
  return [withInts({ dtype, shape: [...shape.slice(0, axis), ...ids, ...shape.slice(axis + 1)] }, pick(call))];
};

/** Constant indices a, a+1, ... pick one stretch: its gradient is plain padding. Undefined for anything else. */
const stretchStart = (call: Call, size: Dim | undefined): number | undefined => {
  const ids = numbersAt(call, 1);
  const [first] = ids ?? [];
  if (ids === undefined || first === undefined) return undefined;
  const start = first >= 0 ? first : typeof size === 'number' ? first + size : undefined;
  return ids.every((id, i) => id === first + i) && (first >= 0 || ids.every((id) => id < 0)) ? start : undefined;
};

/** dy with the index axes folded into one axis of that length. */
const padded = (emit: Emit, call: Call, x: Value, dy: Value, axis: number, start: number): Value => {
  const rank = inputOf(call, 0).shape?.length ?? 0;
  const indexRank = inputOf(call, 1).shape?.length ?? 0;
  let folded = dy;
  if (indexRank === 0) folded = unsqueeze(emit, dy, [axis]);
  if (indexRank > 1) {
    const part = emit.op('Shape', [dy]);
    const head = emit.op('Slice', [part, emit.ints([0]), emit.ints([axis])]);
    const tail = emit.op('Slice', [part, emit.ints([axis + indexRank]), emit.ints([rank - 1 + indexRank])]);
    folded = emit.op('Reshape', [dy, emit.op('Concat', [head, emit.ints([-1]), tail], { axis: 0 })]);
  }
  return padLike(
    emit,
    folded,
    x,
    Array.from({ length: rank }, (_, i) => (i === axis ? start : 0)),
  );
};

/** dx for any indices: the gathered axis goes first, rows of equal index are summed, and the axis goes back. */
const summed = (emit: Emit, call: Call, x: Value, ids: Value, dy: Value, axis: number): Value => {
  const rank = inputOf(call, 0).shape?.length ?? 0;
  const indexRank = inputOf(call, 1).shape?.length ?? 0;
  const total = rank - 1 + indexRank;
  const order = Array.from({ length: total }, (_, i) => i);
  const index = order.slice(axis, axis + indexRank);
  const perm = [...index, ...order.filter((i) => !index.includes(i))];
  const front = perm.every((from, to) => from === to) ? dy : emit.op('Transpose', [dy], { perm });
  const flatIds = emit.op('Reshape', [ids, emit.ints([-1])]); // (k)
  const first = moveAxis(emit, x, rank, axis, 0);
  const rest = emit.op('Reshape', [front, rowsShape(emit, flatIds, first)]); // (k, width)
  const size = sizeOf(emit, x, axis);
  const rows = sumRows(emit, normalizedIds(emit, flatIds, size), rest, size); // (n, width)
  return moveAxis(emit, reshapeLike(emit, rows, first), rank, 0, axis);
};

/** (-1, width) where the width is known, else (k, -1). */
const rowsShape = (emit: Emit, ids: Value, x: Value): Value => {
  const inner = emit.type(x).shape?.slice(1);
  const numbers = inner?.filter((dim) => typeof dim === 'number');
  if (inner !== undefined && numbers?.length === inner.length) {
    return emit.ints([-1, numbers.reduce((a, b) => a * b, 1)]);
  }
  return emit.op('Concat', [sizeOf(emit, ids, 0), emit.ints([-1])], { axis: 0 });
};

/** Constant indices renumbered to what stays of the axis; those whose place in y goes are left out. */
const resize: Resize = (call, _sizes, kept) => {
  const [x] = call.node.inputs;
  const [y] = call.node.outputs;
  const shape = call.inputs[0]?.shape;
  const ids = numbersAt(call, 1);
  const dims = call.inputs[1]?.shape;
  if (x == null || y === undefined || shape === undefined || ids === undefined) return {};
  if (dims === undefined || !isNumeric(dims)) return {};
  const axis = axisOf(call, shape.length);
  const size = shape[axis];
  const stay = kept?.(x, axis);
  if (stay === undefined || typeof size !== 'number') return {};
  const places = dims.map((length, i) => kept?.(y, axis + i) ?? Array.from({ length }, (_, place) => place));
  const strides = stridesOf(dims);
  const left = ids.filter((_, flat) =>
    places.every((place, i) => place.includes(Math.floor(flat / (strides[i] ?? 1)) % (dims[i] ?? 1))),
  );
  const moved = left.map((id) => stay.indexOf(id < 0 ? id + size : id));
  const sizes = places.map((place) => place.length);
  return { inputs: [undefined, vector('int64', moved, sizes)] };
};

const table = (dims: readonly number[]) => ({ dtype: 'float32', dims }) as const;
const ids = (dims: readonly number[], data: readonly number[], constant = false) =>
  ({ dtype: 'int64', dims, data, constant }) as const;

/** One index picks a part, as a slice does; more of them look rows up. */
const uses = (call: Call): readonly Use[] => {
  const [lookup] = lookedUp(call, intAttr(call.node, 'axis', 0));
  const ids = call.inputs[1]?.shape;
  if (lookup?.kind !== 'lookup') return [];
  if (ids?.every((dim) => dim === 1) !== true) return [lookup];
  const shift = ids.length - 1;
  const axes = (call.inputs[0]?.shape ?? []).map((_, axis) =>
    axis === lookup.axis ? undefined : axis < lookup.axis ? axis : axis + shift,
  );
  return [{ input: 0, kind: 'passed', axes }];
};

/**
 * y = x[.., ids, ..]. The gradient of an embedding look-up sums rows of equal id by a one-hot MatMul, which stays exact
 * under threads.
 */
export const gather: OpDef = {
  domain: '',
  op: 'Gather',
  uses,
  since: 1,
  infer,
  gradient: (emit, call, [dy]) => {
    const [x, indices] = call.node.inputs;
    const shape = inputOf(call, 0).shape;
    if (dy == null || x == null || indices == null) return [null, null];
    if (shape === undefined) throw refusal(`Gather '${call.node.name}' needs a known rank for its gradient`);
    const axis = axisOf(call, shape.length);
    const start = stretchStart(call, shape[axis]);
    const dx = start === undefined ? summed(emit, call, x, indices, dy, axis) : padded(emit, call, x, dy, axis, start);
    return [dx, null];
  },
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [x, indices, y] = ports;
    const rank = x?.shape?.length;
    const indexRank = indices?.shape?.length;
    if (x === undefined || indices === undefined || y === undefined || rank === undefined || indexRank === undefined) {
      return refuse('has an unknown shape');
    }
    const axis = axisOf(call, rank);
    const chosen = numbersAt(call, 1);
    if (port === indices) return { cuts: cutsOf(y.value, axis + cut.axis, cut.owner) };
    if (port === x && cut.axis !== axis) {
      return { cuts: cutsOf(y.value, cut.axis < axis ? cut.axis : cut.axis - 1 + indexRank, cut.owner) };
    }
    if (port === x) {
      if (chosen === undefined) return refuse(`looks up axis ${axis} of '${x.value}' by data: its indices would shift`);
      const owner = Int32Array.from(chosen, (id) => cut.owner[id < 0 ? id + cut.owner.length : id] ?? -1);
      if (owner.every((unit) => unit < 0)) return { cuts: [] };
      if (indexRank !== 1) return { cuts: [], merges: [...owner].map((unit) => [unit, -1] as const) };
      return { cuts: cutsOf(y.value, axis, owner) };
    }
    if (cut.axis < axis) return { cuts: cutsOf(x.value, cut.axis, cut.owner) };
    if (cut.axis >= axis + indexRank) return { cuts: cutsOf(x.value, cut.axis + 1 - indexRank, cut.owner) };
    const size = x.shape?.[axis];
    if (chosen === undefined || typeof size !== 'number' || indexRank !== 1) {
      return { cuts: cutsOf(indices.value, cut.axis - axis, cut.owner) };
    }
    const rows = chosen.map((id) => (id < 0 ? id + size : id));
    if (new Set(rows).size < rows.length) return refuse(`repeats indices of axis ${axis}`);
    const owner = new Int32Array(size).fill(-1);
    for (const [i, row] of rows.entries()) owner[row] = cut.owner[i] ?? -1;
    return { cuts: cutsOf(x.value, axis, owner) };
  }),
  masks: () => [0],
  resize,
  macs: noMacs,
  samples: [
    { name: 'embedding with repeats', inputs: [table([7, 4]), ids([2, 3], [1, 1, 6, 0, 6, 1])] },
    { name: 'embedding with negative ids', inputs: [table([7, 4]), ids([4], [-1, 6, 0, -7])] },
    { name: 'first position', inputs: [table([2, 5, 3]), ids([], [0], true)], attrs: { axis: 1 } },
    { name: 'last position', inputs: [table([2, 5, 3]), ids([], [-1], true)], attrs: { axis: 1 } },
    { name: 'constant permutation', inputs: [table([2, 4]), ids([3], [2, 0, 3], true)], attrs: { axis: 1 } },
    { name: 'middle axis with repeats', inputs: [table([2, 5, 3]), ids([2, 2], [4, 1, 1, 1])], attrs: { axis: 1 } },
    { name: 'constant stretch in two dimensions', inputs: [table([6, 3]), ids([2, 2], [1, 2, 3, 4], true)] },
    { name: 'last axis', inputs: [table([2, 5]), ids([3], [0, 4, 4])], attrs: { axis: -1 } },
  ],
};
