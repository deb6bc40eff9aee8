import { refusal } from '../../ground/errors.ts';
import type { Dim } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Inferred, OpDef, Resize } from '../op.ts';
import { vector } from '../tensor.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import { padLike, scalarSizeOf } from './shared-emit.ts';
import { movedInts, upTo } from './shared-ints.ts';
import {
  describe,
  freshDim,
  inputOf,
  intsAttr,
  isNumeric,
  noMacs,
  normalizeAxis,
  numbersAt,
  sliceBound,
  sliceIndices,
  sliceLength,
  withInts,
} from './shared-structure.ts';
import { passed } from './shared-uses.ts';

/** What one axis is sliced to; bounds are undefined where only the run knows them. */
interface Range {
  readonly axis: number;
  readonly start: Dim | undefined;
  readonly end: Dim | undefined;
  readonly step: number;
}

/** The int64 extremes that mean "to the end" made exact as JavaScript numbers. */
const bounded = (bound: Dim | undefined): Dim | undefined =>
  typeof bound === 'number' ? Math.min(Math.max(bound, -(2 ** 53) + 1), 2 ** 53 - 1) : bound;

/** The sliced axes, or undefined where even those are unknown. */
export const rangesOf = (call: Call): readonly Range[] | undefined => {
  const rank = inputOf(call, 0).shape?.length;
  const count = call.inputs[1]?.shape?.[0];
  const length = intsAttr(call.node, 'starts')?.length ?? count;
  if (rank === undefined || typeof length !== 'number') return undefined;
  const starts = intsAttr(call.node, 'starts') ?? call.ints(1);
  const ends = intsAttr(call.node, 'ends') ?? call.ints(2);
  const named = call.node.inputs[3] != null || call.node.attrs.axes !== undefined;
  const axes = named ? (intsAttr(call.node, 'axes') ?? numbersAt(call, 3)) : Array.from({ length }, (_, i) => i);
  const steps = call.node.inputs[4] == null ? new Array<number>(length).fill(1) : numbersAt(call, 4);
  if (axes === undefined || steps === undefined) return undefined;
  if (steps.includes(0)) throw refusal(`${describe(call)} takes steps of 0, which never end`);
  return axes.map((axis, i) => ({
    axis: normalizeAxis(call, axis, rank),
    start: bounded(starts?.[i]),
    end: bounded(ends?.[i]),
    step: steps[i] ?? 1,
  }));
};

const lengthOf = (size: Dim, { start, end, step }: Range): Dim | undefined =>
  start === undefined || end === undefined ? undefined : sliceLength(size, start, end, step);

/** The indices that a range picks; undefined where symbols leave them open. */
export const indicesOf = (size: Dim | undefined, { start, end, step }: Range): readonly number[] | undefined =>
  typeof size === 'number' && typeof start === 'number' && typeof end === 'number'
    ? sliceIndices(size, start, end, step)
    : undefined;

const slicedInts = (call: Call, ranges: readonly Range[]): readonly Dim[] | undefined => {
  const [ints, { shape }] = [call.ints(0), inputOf(call, 0)];
  if (ints === undefined || shape === undefined || !isNumeric(shape)) return undefined;
  const picked = shape.map((size, axis) => {
    const range = ranges.find((one) => one.axis === axis);
    return range === undefined ? upTo(size) : indicesOf(size, range);
  });
  const known = picked.filter((indices) => indices !== undefined);
  return known.length === picked.length ? movedInts(ints, shape, upTo(shape.length), known) : undefined;
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  if (shape === undefined) return [{ dtype, shape }];
  const ranges = rangesOf(call);
  if (ranges === undefined) return [{ dtype, shape: shape.map((_, axis) => freshDim(call, 0, axis)) }];
  const dims = shape.map((size, axis) => {
    const range = ranges.find((r) => r.axis === axis);
    return range === undefined ? size : (lengthOf(size, range) ?? freshDim(call, 0, axis));
  });
  return [withInts({ dtype, shape: dims }, slicedInts(call, ranges))];
};

/** Zeros before a stretch of step one; undefined where it is no stretch or its start is open. */
const zerosBefore = (size: Dim | undefined, range: Range): number | undefined => {
  if (range.step !== 1) return undefined;
  const indices = indicesOf(size, range);
  if (indices !== undefined) return indices[0] ?? 0;
  if (size === undefined || range.start === undefined) return undefined;
  const start = sliceBound(size, range.start);
  return typeof start === 'number' ? start : undefined;
};

/**
 * dx along one axis for any step and bounds: slicing 0..n-1 alike tells which index each element came from; its inverse
 * gathers dy, and a zero where the index was not picked.
 */
const ungather = (emit: Emit, call: Call, x: Value, dy: Value, range: Range, slot: number): Value => {
  const [zero, one] = [emit.scalar('int64', 0), emit.scalar('int64', 1)];
  const rank = inputOf(call, 0).shape?.length ?? 0;
  const all = emit.op('Range', [zero, scalarSizeOf(emit, x, range.axis), one]); // (n)
  const bounds = [1, 2, 4].map((position) => boundOf(emit, call, position, slot));
  const [start, end, step] = bounds;
  if (start === undefined || end === undefined || step === undefined) throw new TypeError('Slice without bounds');
  const picked = emit.op('Slice', [all, start, end, emit.ints([0]), step]); // (m)
  const count = scalarSizeOf(emit, picked, 0);
  const none = emit.op('Expand', [count, emit.op('Shape', [all])]); // (n), all m
  const inverse = emit.op('ScatterElements', [none, picked, emit.op('Range', [zero, count, one])], { axis: 0 });
  const pads = Array.from({ length: 2 * rank }, (_, i) => (i === rank + range.axis ? 1 : 0));
  const longer = emit.op('Pad', [dy, emit.ints(pads)]); // one slice of zeros at index m
  return emit.op('Gather', [longer, inverse], { axis: range.axis });
};

/** One axis's entry of starts, ends or steps as a vector of one element. */
const boundOf = (emit: Emit, call: Call, position: number, slot: number): Value => {
  const name = position === 1 ? 'starts' : 'ends';
  const fixed = position === 4 ? undefined : intsAttr(call.node, name)?.[slot];
  if (fixed !== undefined) return emit.ints([fixed]);
  const input = call.node.inputs[position];
  if (input == null) return emit.ints([1]);
  const known = bounded(numbersAt(call, position)?.[slot]);
  return typeof known !== 'number' ? emit.op('Gather', [input, emit.ints([slot])], { axis: 0 }) : emit.ints([known]);
};

const gradientOf = (emit: Emit, call: Call, x: Value, dy: Value): Value => {
  const { shape } = inputOf(call, 0);
  const ranges = rangesOf(call);
  if (shape === undefined || ranges === undefined) {
    throw refusal(`Slice '${call.node.name}' needs a known rank and constant axes for its gradient`);
  }
  const before = new Array<number>(shape.length).fill(0);
  let dx = dy;
  for (const [slot, range] of ranges.entries()) {
    const zeros = zerosBefore(shape[range.axis], range);
    if (zeros === undefined) dx = ungather(emit, call, x, dx, range, slot);
    else before[range.axis] = zeros;
  }
  return padLike(emit, dx, x, before);
};

const TO_THE_START = -(2 ** 31);

/** The range that picks what stays; ranges of step 1 or -1 stay such, others refuse their cut. */
const shrunk = (range: Range, indices: readonly number[], stay: readonly number[]): Range => {
  const left = indices.map((i) => stay.indexOf(i)).filter((i) => i >= 0);
  const start = left[0] ?? 0;
  const last = left.at(-1) ?? start;
  const end = range.step === 1 ? start + left.length : last === 0 ? TO_THE_START : last - 1;
  return { ...range, start, end };
};

const resize: Resize = (call, _sizes, kept) => {
  const [x] = call.node.inputs;
  const ranges = rangesOf(call);
  const { shape } = inputOf(call, 0);
  if (x == null || shape === undefined || ranges === undefined || kept === undefined) return {};
  const moved = ranges.map((range) => {
    const stay = kept(x, range.axis);
    const indices = indicesOf(shape[range.axis], range);
    return stay === undefined || indices === undefined ? range : shrunk(range, indices, stay);
  });
  const starts = moved.map((range) => range.start).filter((bound) => typeof bound === 'number');
  const ends = moved.map((range) => range.end).filter((bound) => typeof bound === 'number');
  if (starts.length < moved.length || ends.length < moved.length || moved.every((r, i) => r === ranges[i])) return {};
  return { inputs: [undefined, vector('int64', starts), vector('int64', ends)] };
};

const bounds = (...lists: readonly (readonly number[])[]) =>
  lists.map((data) => ({ dtype: 'int64', dims: [data.length], data, constant: true }) as const);
const x = { dtype: 'float32', dims: [3, 6, 4] } as const;

/** A box of elements, with steps; bounds may count from the end. */
export const slice: OpDef = {
  domain: '',
  op: 'Slice',
  uses: passed,
  since: 10,
  infer,
  gradient: (emit, call, [dy]) => {
    const [input, ...rest] = call.node.inputs;
    return [dy == null || input == null ? null : gradientOf(emit, call, input, dy), ...rest.map(() => null)];
  },
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [input] = ports;
    const output = ports.find((p) => p.kind === 'output');
    const ranges = rangesOf(call);
    if (input === undefined || output === undefined || ranges === undefined) return refuse('has an unknown shape');
    if (port !== input && port !== output) return refuse('cannot lose entries of its bounds');
    const other = port === input ? output : input;
    const range = ranges.find((r) => r.axis === cut.axis);
    if (range === undefined) return { cuts: cutsOf(other.value, cut.axis, cut.owner) };
    const size = input.shape?.[cut.axis];
    const indices = indicesOf(size, range);
    if (indices === undefined || typeof size !== 'number') return refuse(`has open bounds along axis ${cut.axis}`);
    if (Math.abs(range.step) !== 1) return refuse(`steps over axis ${cut.axis}`);
    if (port === input) {
      return {
        cuts: cutsOf(
          output.value,
          cut.axis,
          Int32Array.from(indices, (i) => cut.owner[i] ?? -1),
        ),
      };
    }
    const owner = new Int32Array(size).fill(-1);
    for (const [to, from] of indices.entries()) owner[from] = cut.owner[to] ?? -1;
    return { cuts: cutsOf(input.value, cut.axis, owner) };
  }),
  masks: () => [0],
  resize,
  macs: noMacs,
  samples: [
    { name: 'a stretch', inputs: [x, ...bounds([1], [4], [1])] },
    { name: 'two axes, from the end', inputs: [x, ...bounds([-3, 1], [2147483647, -1], [1, 2])] },
    { name: 'leading axes by default', inputs: [x, ...bounds([0, 2], [2, 5])] },
    { name: 'every second', inputs: [x, ...bounds([0], [6], [1], [2])] },
    { name: 'reversed', inputs: [x, ...bounds([-1], [-7], [1], [-1])] },
  ],
};
