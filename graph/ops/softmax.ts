import { refusal } from '../../ground/errors.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, OpDef, Sample } from '../op.ts';
import { floats, fromEnd, gradientOfFirst, inferSame, labelCut, reduce, result } from './shared-math.ts';
import { inputOf, intAttr, noMacs, normalizeAxis } from './shared-structure.ts';

/** The axes that sum to one: a single one since opset 13, before that all from `axis` on. */
export const softmaxAxes = (call: Call): readonly number[] => {
  const rank = inputOf(call, 0).shape?.length;
  if (rank === undefined) throw refusal(`${call.node.op} '${call.node.name}': the rank of its input is not known`);
  const axis = normalizeAxis(call, intAttr(call.node, 'axis', call.opset >= 13 ? -1 : 1), rank);
  return call.opset >= 13 ? [axis] : Array.from({ length: rank - axis }, (_, i) => axis + i);
};

/** dx = y (dy - sum(dy y)). */
const softmaxGradient = (emit: Emit, call: Call, dy: Value): Value => {
  const y = result(call);
  const sum = reduce(emit, 'ReduceSum', emit.op('Mul', [dy, y]), softmaxAxes(call), true);
  return emit.op('Mul', [y, emit.op('Sub', [dy, sum])]);
};

/** dx = dy - exp(y) sum(dy). */
const logSoftmaxGradient = (emit: Emit, call: Call, dy: Value): Value => {
  const sum = reduce(emit, 'ReduceSum', dy, softmaxAxes(call), true);
  return emit.op('Sub', [dy, emit.op('Mul', [emit.op('Exp', [result(call)]), sum])]);
};

const record = (op: string, since: number, rule: typeof softmaxGradient, samples: readonly Sample[]): OpDef => ({
  domain: '',
  op,
  since,
  infer: inferSame,
  gradient: gradientOfFirst(rule),
  mixes: true,
  holes: 'makes',
  cut: labelCut(
    inferSame,
    (call, _port, shape) => fromEnd(shape).map((label, axis) => (softmaxAxes(call).includes(axis) ? null : label)),
    'mixes all indices of the axis that it normalizes',
  ),
  macs: noMacs,
  samples,
});

const samples: readonly Sample[] = [
  { name: 'the last axis', inputs: [floats(2, 3, 4)] },
  { name: 'another axis', inputs: [floats(2, 3, 4)], attrs: { axis: 1 } },
];
const flattened: readonly Sample[] = [
  { name: 'all axes from the second on', inputs: [floats(2, 3, 4)] },
  { name: 'the last axis', inputs: [floats(2, 3, 4)], attrs: { axis: 2 } },
];

/** y_i = exp(x_i) / sum_j exp(x_j), along one axis (since 13) or over all axes from one on (before). */
export const softmax: readonly OpDef[] = [
  record('Softmax', 1, softmaxGradient, flattened),
  record('Softmax', 13, softmaxGradient, samples),
];

/** y_i = x_i - log sum_j exp(x_j), over the axes that Softmax has. */
export const logSoftmax: readonly OpDef[] = [
  record('LogSoftmax', 1, logSoftmaxGradient, flattened),
  record('LogSoftmax', 13, logSoftmaxGradient, samples),
];
