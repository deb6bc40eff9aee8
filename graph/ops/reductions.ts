import { refusal } from '../../ground/errors.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Inferred, Masked, OpDef, Sample } from '../op.ts';
import type { Port } from './shared-cuts.ts';
import { unsqueeze } from './shared-emit.ts';
import {
  axesInput,
  divideByCount,
  equals,
  floats,
  gradientOfFirst,
  indicator,
  type Labels,
  labelCut,
  nonZero,
  operand,
  reduce,
  result,
  scalarLike,
  scale,
  selected,
  within,
} from './shared-math.ts';
import { axesOf, describe, freshDim, inputOf, intAttr, noMacs, normalizeAxis } from './shared-structure.ts';

const hasAxes = (call: Call): boolean => call.node.attrs.axes !== undefined || call.node.inputs[1] != null;

/** Normalized axes, all where none are named; undefined where they are computed at run time. */
export const reducedAxes = (call: Call, rank: number): readonly number[] | undefined => {
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const none = intAttr(call.node, 'noop_with_empty_axes', 0) === 1 ? [] : all;
  if (!hasAxes(call)) return none;
  const named = axesOf(call, 1);
  if (named === undefined) return undefined;
  return named.length === 0 ? none : named.map((axis) => normalizeAxis(call, axis, rank));
};

/** Whether reduced axes stay, of size one. */
export const keepsAxes = (call: Call): boolean => intAttr(call.node, 'keepdims', 1) === 1;

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  if (shape === undefined) {
    const whole = !keepsAxes(call) && !hasAxes(call) && intAttr(call.node, 'noop_with_empty_axes', 0) === 0;
    return [{ dtype, shape: whole ? [] : undefined }];
  }
  const axes = reducedAxes(call, shape.length);
  if (axes === undefined) {
    return [{ dtype, shape: keepsAxes(call) ? shape.map((_, axis) => freshDim(call, 0, axis)) : undefined }];
  }
  const kept = shape.flatMap((dim, axis) => (!axes.includes(axis) ? [dim] : keepsAxes(call) ? [1] : []));
  return [{ dtype, shape: kept }];
};

/** Labels by input axis; a reduced axis has one of its own on the input, and what remains of it cannot be cut. */
const labels = (call: Call, port: Port): Labels => {
  const rank = inputOf(call, 0).shape?.length ?? 0;
  const axes = reducedAxes(call, rank);
  const all = Array.from({ length: rank }, (_, axis) => axis);
  if (axes === undefined) return all.map(() => null);
  if (port.kind === 'input') return port.position === 0 ? all.map(String) : [null];
  const kept = all.filter((axis) => keepsAxes(call) || !axes.includes(axis));
  return kept.map((axis) => (axes.includes(axis) ? null : String(axis)));
};

/** The rule sees dy and y with the reduced axes kept, so that both broadcast against x. */
type Rule = (emit: Emit, dy: Value, x: Value, y: Value, axes: readonly number[]) => Value;

const gradient = (rule: Rule) =>
  gradientOfFirst((emit, call, dy, x) => {
    const rank = inputOf(call, 0).shape?.length;
    const axes = rank === undefined ? undefined : reducedAxes(call, rank);
    if (axes === undefined) {
      throw refusal(`cannot differentiate ${describe(call)}: the rank of its input or its axes are not known`);
    }
    const kept = (v: Value): Value => (keepsAxes(call) ? v : unsqueeze(emit, v, axes));
    return rule(emit, kept(dy), x, kept(result(call)), axes);
  });

const expandLike = (emit: Emit, v: Value, like: Value): Value => emit.op('Expand', [v, emit.shapeOf(like)]);

/** dx = dy x', where every element that equals the result has the same share of it. */
const shareOfEqual: Rule = (emit, dy, x, y, axes) => {
  const equal = equals(emit, x, y);
  const share = emit.op('Div', [dy, reduce(emit, 'ReduceSum', indicator(emit, equal, x), axes, true)]);
  return selected(emit, equal, share);
};

const samplesAt = (axesAreInput: boolean, range?: readonly [number, number]): readonly Sample[] => {
  const x = (...dims: number[]) => (range === undefined ? floats(...dims) : within(range, ...dims));
  const over = (name: string, axes: readonly number[], keepdims: number): Sample =>
    axesAreInput
      ? { name, inputs: [x(2, 3, 4), axesInput(...axes)], attrs: { keepdims } }
      : { name, inputs: [x(2, 3, 4)], attrs: { axes, keepdims } };
  const all: readonly Sample[] = [
    over('the last axis, kept', [-1], 1),
    over('the middle axis, dropped', [1], 0),
    over('two axes, dropped', [0, 2], 0),
    { name: 'all axes', inputs: [x(2, 3)] },
    { name: 'to a scalar', inputs: [x(2, 3)], attrs: { keepdims: 0 } },
  ];
  return axesAreInput
    ? [...all, { name: 'no axes, nothing to do', inputs: [x(2, 3)], attrs: { noop_with_empty_axes: 1 } }]
    : all;
};

/** The mean of what a mask leaves: sum m x / sum m. */
const meanOfKept: Masked = {
  axes: (call) => reducedAxes(call, inputOf(call, 0).shape?.length ?? 0) ?? [],
  emit: (emit, call, mask) => {
    const [x, rank] = [operand(call, 0), inputOf(call, 0).shape?.length ?? 0];
    const axes = reducedAxes(call, rank) ?? [];
    const behind = Array.from({ length: rank - 1 - (axes[0] ?? 0) }, () => 1);
    const wide = behind.length === 0 ? mask : emit.op('Reshape', [mask, emit.ints([-1, ...behind])]);
    const sum = reduce(emit, 'ReduceSum', emit.op('Mul', [x, wide]), axes, keepsAxes(call));
    const kept = emit.op('Max', [reduce(emit, 'ReduceSum', mask, [0], false), scalarLike(emit, x, 1)]);
    return emit.op('Div', [sum, kept]);
  },
};

interface Reduction {
  readonly range?: readonly [number, number];
  readonly masked?: OpDef['masked'];
}

/** Two records an operator: axes as attribute, and as input since `moved`. */
const reduction = (op: string, moved: number, rule: Rule, { range, masked }: Reduction = {}): readonly OpDef[] =>
  [1, moved].map((since) => ({
    domain: '',
    op,
    since,
    infer,
    gradient: gradient(rule),
    mixes: true,
    masks: () => (rule === shareOfEqual ? [0] : []),
    ...(masked === undefined ? {} : { masked }),
    cut: labelCut(infer, labels, 'has already summed over that axis'),
    macs: noMacs,
    samples: samplesAt(since === moved, range),
  }));

/** y = sum x:  dx = dy. */
const reduceSum = reduction('ReduceSum', 13, (emit, dy, x) => expandLike(emit, dy, x));

/** y = sum x / n:  dx = dy / n. */
const reduceMean = reduction(
  'ReduceMean',
  18,
  (emit, dy, x, _y, axes) => expandLike(emit, divideByCount(emit, dy, x, axes), x),
  { masked: meanOfKept },
);

/** y = max x:  dx = dy where x = y, shared among equals. */
const reduceMax = reduction('ReduceMax', 18, shareOfEqual, { masked: 'never' });

/** y = min x:  dx = dy where x = y, shared among equals. */
const reduceMin = reduction('ReduceMin', 18, shareOfEqual, { masked: 'never' });

/** y = sum x^2:  dx = 2 dy x. */
const reduceSumSquare = reduction('ReduceSumSquare', 18, (emit, dy, x) => emit.op('Mul', [x, scale(emit, dy, 2)]));

/** y = sum |x|:  dx = dy sign(x). */
const reduceL1 = reduction('ReduceL1', 18, (emit, dy, x) => emit.op('Mul', [emit.op('Sign', [x]), dy]), {
  range: [0.5, 2],
});

/** y = sqrt(sum x^2):  dx = dy x / y, zero where y is. */
const reduceL2 = reduction(
  'ReduceL2',
  18,
  (emit, dy, x, y) => emit.op('Mul', [x, selected(emit, nonZero(emit, y), emit.op('Div', [dy, y]))]),
  { range: [0.5, 2] },
);

/** y = log sum exp(x):  dx = dy exp(x - y), zero where dy is: a row of -Infinity has no shares. */
const reduceLogSumExp = reduction(
  'ReduceLogSumExp',
  18,
  (emit, dy, x, y) => selected(emit, nonZero(emit, dy), emit.op('Mul', [emit.op('Exp', [emit.op('Sub', [x, y])]), dy])),
  { masked: 'never' },
);

/** y = product of x:  dx = dy y / x, so that no element may be zero. */
const reduceProd = reduction('ReduceProd', 18, (emit, dy, x, y) => emit.op('Div', [emit.op('Mul', [dy, y]), x]), {
  range: [0.5, 2],
  masked: 'never',
});

/** y = log sum x:  dx = dy / exp(y). */
const reduceLogSum = reduction(
  'ReduceLogSum',
  18,
  (emit, dy, x, y) => expandLike(emit, emit.op('Div', [dy, emit.op('Exp', [y])]), x),
  { range: [0.5, 2] },
);

/** Sums, means and extremes over axes. */
export const reductions: readonly OpDef[] = [
  ...reduceSum,
  ...reduceMean,
  ...reduceMax,
  ...reduceMin,
  ...reduceSumSquare,
  ...reduceL1,
  ...reduceL2,
  ...reduceLogSumExp,
  ...reduceProd,
  ...reduceLogSum,
];
