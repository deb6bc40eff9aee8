import type { Value } from '../graph.ts';
import type { Emit } from '../op.ts';
import { floatAttr, floats, indicator, scalarLike, scale, selected, unary } from './shared-math.ts';
import { neverLearned } from './shared-uses.ts';

const positive = [0.5, 2] as const;

/** Elements on both sides of a kink, none near it. */
const aroundZero = {
  name: 'both signs',
  inputs: [{ dtype: 'float32', dims: [2, 3], data: [-2, 0.5, -0.3, 1.5, 0.2, -0.7] }],
} as const;

const mul = (emit: Emit, a: Value, b: Value): Value => emit.op('Mul', [a, b]);

/** y = -x:  dx = -dy. */
export const neg = unary({ op: 'Neg', since: 6, dx: (emit, dy) => emit.op('Neg', [dy]) });

/** y = |x|:  dx = dy sign(x). */
export const abs = unary({
  op: 'Abs',
  since: 6,
  samples: [aroundZero],
  dx: (emit, dy, x) => mul(emit, dy, emit.op('Sign', [x])),
});

/** y = sqrt(x):  dx = dy / (2 y). */
export const sqrt = unary({
  op: 'Sqrt',
  since: 6,
  steep: () => 'anywhere',
  range: positive,
  dx: (emit, dy, _x, y) => scale(emit, emit.op('Div', [dy, y]), 0.5),
});

/** y = 1 / x:  dx = -dy y^2. */
export const reciprocal = unary({
  op: 'Reciprocal',
  since: 6,
  steep: () => 'anywhere',
  range: positive,
  dx: (emit, dy, _x, y) => emit.op('Neg', [mul(emit, dy, mul(emit, y, y))]),
});

/** y = exp(x):  dx = dy y. */
export const exp = unary({ op: 'Exp', since: 6, steep: () => 'beyond', dx: (emit, dy, _x, y) => mul(emit, dy, y) });

/** y = log(x):  dx = dy / x. */
export const log = unary({
  op: 'Log',
  since: 6,
  steep: () => 'anywhere',
  range: positive,
  dx: (emit, dy, x) => emit.op('Div', [dy, x]),
});

/** y = sin(x):  dx = dy cos(x). */
export const sin = unary({
  op: 'Sin',
  since: 7,
  uses: neverLearned,
  dx: (emit, dy, x) => mul(emit, dy, emit.op('Cos', [x])),
});

/** y = cos(x):  dx = -dy sin(x). */
export const cos = unary({
  op: 'Cos',
  uses: neverLearned,
  since: 7,
  dx: (emit, dy, x) => emit.op('Neg', [mul(emit, dy, emit.op('Sin', [x]))]),
});

/** y = tanh(x):  dx = dy (1 - y^2). */
export const tanh = unary({
  op: 'Tanh',
  since: 6,
  dx: (emit, dy, _x, y) => emit.op('Sub', [dy, mul(emit, mul(emit, dy, y), y)]),
});

/** y = 1 / (1 + exp(-x)):  dx = dy y (1 - y). */
export const sigmoid = unary({
  op: 'Sigmoid',
  since: 6,
  dx: (emit, dy, _x, y) => {
    const part = mul(emit, dy, y);
    return emit.op('Sub', [part, mul(emit, part, y)]);
  },
});

/** y = max(x, 0):  dx = dy [y > 0]. */
export const relu = unary({
  op: 'Relu',
  since: 6,
  masks: () => [0],
  samples: [aroundZero],
  dx: (emit, dy, _x, y, call) => {
    const above = emit.op('Greater', [y, scalarLike(emit, y, 0)]);
    // A product takes two thirds of the time of a choice, but of infinity it makes no zero.
    return call.steepBehind ? selected(emit, above, dy) : mul(emit, dy, indicator(emit, above, dy));
  },
});

/** y = x where x >= 0, else a x:  dx = dy where x >= 0, else a dy. */
export const leakyRelu = unary({
  op: 'LeakyRelu',
  since: 6,
  samples: [aroundZero, { ...aroundZero, name: 'its own slope', attrs: { alpha: 0.2 } }],
  dx: (emit, dy, x, _y, call) => {
    const negative = emit.op('Less', [x, scalarLike(emit, x, 0)]);
    return emit.op('Where', [negative, scale(emit, dy, floatAttr(call, 'alpha', 0.01)), dy]);
  },
});

/** y = log(1 + exp(x)):  dx = dy sigmoid(x). */
export const softplus = unary({
  op: 'Softplus',
  since: 1,
  dx: (emit, dy, x) => mul(emit, dy, emit.op('Sigmoid', [x])),
});

/** y = min(max(a x + b, 0), 1):  dx = a dy where 0 < y < 1, else 0. */
export const hardSigmoid = unary({
  op: 'HardSigmoid',
  since: 6,
  masks: () => [0],
  samples: [
    { name: 'all three pieces', inputs: [{ dtype: 'float32', dims: [5], data: [-4, -1, 0.3, 2, 4] }] },
    { name: 'its own line', inputs: [floats(3, 4)], attrs: { alpha: 0.1, beta: 0.45 } },
  ],
  dx: (emit, dy, _x, y, call) => {
    const above = emit.op('Greater', [y, scalarLike(emit, y, 0)]);
    const below = emit.op('Less', [y, scalarLike(emit, y, 1)]);
    return selected(emit, emit.op('And', [above, below]), scale(emit, dy, floatAttr(call, 'alpha', 0.2)));
  },
});

/** y = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x:  dx = dy 2 / sqrt(pi) exp(-x^2). */
export const erf = unary({
  op: 'Erf',
  since: 9,
  dx: (emit, dy, x) => {
    const bell = emit.op('Exp', [emit.op('Neg', [mul(emit, x, x)])]);
    return mul(emit, scale(emit, dy, 2 / Math.sqrt(Math.PI)), bell);
  },
});
