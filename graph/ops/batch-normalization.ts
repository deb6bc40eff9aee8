import { refusal } from '../../ground/errors.ts';
import type { Shape } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Gradient, Inferred, OpDef } from '../op.ts';
import type { Port } from './shared-cuts.ts';
import { unsqueeze } from './shared-emit.ts';
import {
  floatAttr,
  floats,
  fromEnd,
  type Labels,
  labelCut,
  operand,
  scalarLike,
  scale,
  within,
} from './shared-math.ts';
import { describe, inputOf, intAttr, noMacs } from './shared-structure.ts';
import { along, settings } from './shared-uses.ts';

/** The running statistics are outputs where they are trained. */
const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const statistics = call.inputs[3] ?? { dtype, shape: undefined };
  return [{ dtype, shape }, statistics, statistics];
};

const labels = (_call: Call, port: Port, shape: Shape): Labels => {
  if (shape.length === 1) return ['channel'];
  return port.position === 0 ? fromEnd(shape).map((label, axis) => (axis === 1 ? 'channel' : label)) : ['channel'];
};

/** One number a channel, beside (batch, channels, places ..). */
const perChannel = (emit: Emit, v: Value, rank: number): Value =>
  unsqueeze(
    emit,
    v,
    Array.from({ length: rank - 2 }, (_, i) => i + 1),
  );

/**
 * y = h scale + shift, h = (x - mean) r, r = 1 / sqrt(variance + epsilon), with statistics that are given (Ioffe and Szegedy,
 * arXiv 1502.03167):
 *
 *   dx = dy scale r,  dscale = dy h,  dshift = dy,  dmean = -dx,  dvariance = -dx h r / 2,  all but dx summed over a channel
 */
const gradient: Gradient = (emit, call, [dy, ...others]) => {
  const rank = inputOf(call, 0).shape?.length;
  if (intAttr(call.node, 'training_mode', 0) === 1 || others.some((other) => other != null)) {
    throw refusal(`${describe(call)} is in training mode: export the model for inference`);
  }
  if (rank === undefined) throw refusal(`${describe(call)}: the rank of its input is not known`);
  if (dy == null) return call.node.inputs.map(() => null);
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 1);
  const channels = (v: Value): Value => emit.op('ReduceSum', [v, emit.ints(axes)], { keepdims: 0 });
  const mul = (a: Value, b: Value): Value => emit.op('Mul', [a, b]);
  const variance = operand(call, 4);
  const shifted = emit.op('Add', [variance, scalarLike(emit, variance, floatAttr(call, 'epsilon', 1e-5))]);
  const inverse = emit.op('Reciprocal', [emit.op('Sqrt', [shifted])]);
  const wide = perChannel(emit, inverse, rank);
  const hat = mul(emit.op('Sub', [operand(call, 0), perChannel(emit, operand(call, 3), rank)]), wide);
  const dx = mul(dy, mul(perChannel(emit, operand(call, 1), rank), wide));
  const dvariance = scale(emit, mul(channels(mul(dx, hat)), inverse), -0.5);
  return [dx, channels(mul(dy, hat)), channels(dy), emit.op('Neg', [channels(dx)]), dvariance];
};

const vectors = [floats(3), floats(3), floats(3), within([0.5, 2], 3)];

/** Channels normalised by statistics of the data they were trained on, scaled and shifted. */
export const batchNormalization: OpDef = {
  domain: '',
  op: 'BatchNormalization',
  since: 7,
  infer,
  alike: [0, 1, 2],
  gradient,
  cut: labelCut(infer, labels, 'has no such axis'),
  uses: (call) => [...along(call, { 1: 'norm', 2: 'bias' }), ...settings(3, 4)],
  macs: noMacs,
  samples: [
    { name: 'an image', inputs: [floats(2, 3, 4, 5), ...vectors] },
    { name: 'rows with an epsilon', inputs: [floats(4, 3), ...vectors], attrs: { epsilon: 0.25 } },
  ],
};
