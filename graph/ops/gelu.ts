import type { Value } from '../graph.ts';
import type { Emit, OpDef } from '../op.ts';
import { broadcastCut } from './shared-cuts.ts';
import { floatAttr, floats, inferSame, operand, scalarLike, scale, unary } from './shared-math.ts';
import { noMacs, stringAttr } from './shared-structure.ts';
import { along } from './shared-uses.ts';

const mul = (emit: Emit, a: Value, b: Value): Value => emit.op('Mul', [a, b]);

const plus = (emit: Emit, a: Value, number: number): Value => emit.op('Add', [a, scalarLike(emit, a, number)]);

/**
 * y = x P(x), P the normal distribution function, p its density (Hendrycks and Gimpel, arXiv 1606.08415):
 *
 *   dx = dy (P(x) + x p(x)),  P(x) = (erf(u) + 1) / 2,  p(x) = c exp(-u^2),  u = x / sqrt(2), c = 1 / sqrt(2 pi)
 *
 * c goes into the exponent, which saves a pass over memory.
 */
const exactGradient = (emit: Emit, dy: Value, x: Value): Value => {
  const u = scale(emit, x, Math.SQRT1_2);
  const distribution = scale(emit, plus(emit, emit.op('Erf', [u]), 1), 0.5);
  const exponent = emit.op('Sub', [scalarLike(emit, x, -Math.log(2 * Math.PI) / 2), mul(emit, u, u)]);
  const bell = mul(emit, x, emit.op('Exp', [exponent]));
  return mul(emit, emit.op('Add', [distribution, bell]), dy);
};

/**
 * y = x / 2 (1 + t), t = tanh(a (x + b x^3)), a = sqrt(2 / pi), b = 0.044715:
 *
 *   dx = dy / 2 (1 + t + (1 - t^2) (a x + 3 a b x^3))
 */
const tanhGradient = (emit: Emit, dy: Value, x: Value): Value => {
  const a = Math.sqrt(2 / Math.PI);
  const square = mul(emit, x, x);
  const inner = mul(emit, x, plus(emit, scale(emit, square, a * 0.044715), a));
  const t = emit.op('Tanh', [inner]);
  const slope = mul(emit, x, plus(emit, scale(emit, square, 3 * a * 0.044715), a));
  const falling = emit.op('Sub', [slope, mul(emit, mul(emit, t, t), slope)]);
  return mul(emit, scale(emit, plus(emit, emit.op('Add', [t, falling]), 1), 0.5), dy);
};

/** y = x s, s = sigmoid(a x):  dx = dy (s + a y (1 - s)). */
const quickGradient = (emit: Emit, dy: Value, x: Value, alpha: number): Value => {
  const s = emit.op('Sigmoid', [scale(emit, x, alpha)]);
  const rest = scale(emit, mul(emit, x, s), alpha);
  return mul(emit, dy, emit.op('Add', [s, emit.op('Sub', [rest, mul(emit, rest, s)])]));
};

const exact = { name: 'exact', inputs: [floats(3, 4)] } as const;

/** Gaussian error linear unit, exact or with tanh. */
export const gelu = unary({
  op: 'Gelu',
  since: 20,
  samples: [exact, { name: 'with tanh', inputs: [floats(3, 4)], attrs: { approximate: 'tanh' } }],
  dx: (emit, dy, x, _y, call) =>
    stringAttr(call.node, 'approximate', 'none') === 'tanh' ? tanhGradient(emit, dy, x) : exactGradient(emit, dy, x),
});

/** ONNX Runtime's own exact Gelu, for operator sets before 20. */
export const contribGelu = unary({
  op: 'Gelu',
  domain: 'com.microsoft',
  since: 1,
  samples: [exact],
  dx: (emit, dy, x) => exactGradient(emit, dy, x),
});

/** x sigmoid(a x). */
export const quickGelu = unary({
  op: 'QuickGelu',
  domain: 'com.microsoft',
  since: 1,
  samples: [
    { name: 'the usual slope', inputs: [floats(3, 4)] },
    { name: 'swish', inputs: [floats(3, 4)], attrs: { alpha: { float: 1 } } },
  ],
  dx: (emit, dy, x, _y, call) => quickGradient(emit, dy, x, floatAttr(call, 'alpha', 1.702)),
});

/** A Gelu of x + bias, bias along the last axis:  d(bias) = dx. */
const biased = (op: string, slope: typeof exactGradient, samples: OpDef['samples']): OpDef => ({
  domain: 'com.microsoft',
  op,
  since: 1,
  infer: inferSame,
  gradient: (emit, call, [dy]) => {
    if (dy == null) return call.node.inputs.map(() => null);
    const bias = call.node.inputs[1] ?? null;
    const x = operand(call, 0);
    const dx = slope(emit, dy, bias === null ? x : emit.op('Add', [x, bias]));
    return call.node.inputs.map((input) => (input === null ? null : dx));
  },
  cut: broadcastCut(inferSame),
  uses: (call) => along(call, { 1: 'bias' }),
  macs: noMacs,
  samples,
});

/** Exact Gelu of x + bias in one pass. */
export const biasGelu = biased('BiasGelu', exactGradient, [{ name: 'rows', inputs: [floats(2, 3, 4), floats(4)] }]);

/** Gelu with tanh of x, or of x + bias, in one pass. */
export const fastGelu = biased('FastGelu', tanhGradient, [
  { name: 'without a bias', inputs: [floats(3, 4)] },
  { name: 'with a bias', inputs: [floats(2, 3, 4), floats(4)] },
]);
