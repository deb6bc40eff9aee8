import { refusal } from '../../ground/errors.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Gradient, Inferred, Masked, OpDef, Sample } from '../op.ts';
import { layerGradient, maskedNorm, rmsGradient, statistics } from './normalization.ts';
import { floatAttr, floats, fromEnd, labelCut, operand } from './shared-math.ts';
import { describe, inputOf, noMacs } from './shared-structure.ts';
import { along } from './shared-uses.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }, statistics(call), statistics(call), { dtype, shape }];
};

/** What is normalized: input + skip + bias. */
const total = (emit: Emit, call: Call, bias: number): Value => {
  const sum = emit.op('Add', [operand(call, 0), operand(call, 1)]);
  const addend = call.node.inputs[bias];
  return addend == null ? sum : emit.op('Add', [sum, addend]);
};

/**
 * s = x + skip + bias, y = norm(s):  dx = dskip = dbias = (gradient of the norm) + (gradient of s where it is an output
 * of its own); dscale and dbeta as in the norm.
 */
const gradient =
  (rule: typeof layerGradient, beta: number | undefined, bias: number): Gradient =>
  (emit, call, [dy, mean, inverse, ds]) => {
    if (mean != null || inverse != null) throw refusal(`${describe(call)}: its statistics are not differentiable`);
    const none = call.node.inputs.map(() => null);
    if (dy == null) return ds == null ? none : call.node.inputs.map((_, i) => (i < 2 || i === bias ? ds : null));
    const epsilon = floatAttr(call, 'epsilon', 1e-12);
    const { dx, dscale } = rule(emit, dy, total(emit, call, bias), operand(call, 2), [lastAxis(call)], epsilon);
    const sum = ds == null ? dx : emit.op('Add', [dx, ds]);
    return call.node.inputs.map((_, i) => (i < 2 || i === bias ? sum : i === 2 ? dscale : i === beta ? dy : null));
  };

/** The last axis. */
const lastAxis = (call: Call): number => {
  const rank = inputOf(call, 0).shape?.length;
  if (rank === undefined) throw refusal(`${describe(call)}: the rank of its input is not known`);
  return rank - 1;
};

/** Where the shift behind the norm and the bias before it stand. */
interface Places {
  readonly beta: number | undefined;
  readonly bias: number;
}

/** What shifts: beside the norm's scale, before and after it. */
const vectorsAt = ({ beta, bias }: Places): Readonly<Record<number, 'bias'>> =>
  beta === undefined ? { [bias]: 'bias' } : { [beta]: 'bias', [bias]: 'bias' };

const masked = ({ beta, bias }: Places): Masked => ({
  axes: (call) => [lastAxis(call)],
  emit: (emit, call, mask) => {
    const shift = beta === undefined ? undefined : (call.node.inputs[beta] ?? undefined);
    const norm = { scale: operand(call, 2), bias: shift, epsilon: floatAttr(call, 'epsilon', 1e-12) };
    return maskedNorm(emit, { x: total(emit, call, bias), ...norm, centres: beta !== undefined }, mask);
  },
});

const record = (op: string, rule: typeof layerGradient, places: Places, samples: readonly Sample[]): OpDef => ({
  domain: 'com.microsoft',
  op,
  since: 1,
  infer,
  alike: 'all',
  gradient: gradient(rule, places.beta, places.bias),
  mixes: true,
  masked: masked(places),
  cut: labelCut(infer, (_call, _port, shape) => fromEnd(shape), 'has no such axis'),
  uses: (call) => along(call, { 0: 'table', 1: 'table', 2: 'norm', ...vectorsAt(places) }),
  macs: noMacs,
  samples,
});

const x = floats(2, 3, 4);
const row = floats(4);

/** Layer normalisation of a sum of two values and a bias. */
export const skipLayerNormalization = record('SkipLayerNormalization', layerGradient, { beta: 3, bias: 4 }, [
  { name: 'with a shift', inputs: [x, x, row, row] },
  { name: 'with shift and bias', inputs: [x, x, row, row, row], attrs: { epsilon: 0.001 } },
  { name: 'with the sum as an output', inputs: [x, x, row, row], outputs: 4, differentiable: [] },
]);

/** Root-mean-square normalisation of a sum of two values and a bias. */
export const skipSimplifiedLayerNormalization = record(
  'SkipSimplifiedLayerNormalization',
  rmsGradient,
  { beta: undefined, bias: 3 },
  [
    { name: 'without a bias', inputs: [x, x, row] },
    { name: 'with a bias', inputs: [x, x, row, row], attrs: { epsilon: 0.001 } },
  ],
);
