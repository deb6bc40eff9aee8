import type { Value } from '../graph.ts';
import type { Emit, OpDef } from '../op.ts';
import { broadcastCut } from './shared-cuts.ts';
import { floatAttr, floats, inferSame, operand, scalarLike, scale, selected, unary } from './shared-math.ts';
import { noMacs } from './shared-structure.ts';
import { along } from './shared-uses.ts';

const mul = (emit: Emit, a: Value, b: Value): Value => emit.op('Mul', [a, b]);
const plus = (emit: Emit, a: Value, number: number): Value => emit.op('Add', [a, scalarLike(emit, a, number)]);
const above = (emit: Emit, x: Value, number = 0): Value => emit.op('Greater', [x, scalarLike(emit, x, number)]);
const choose = (emit: Emit, condition: Value, a: Value, b: Value): Value => emit.op('Where', [condition, a, b]);

/** Elements on both sides of every kink, none near one. */
const bothSides = {
  name: 'both signs',
  inputs: [{ dtype: 'float32', dims: [2, 3], data: [-2, 0.5, -0.3, 1.5, 0.2, -0.7] }],
} as const;
const wide = { name: 'every piece', inputs: [{ dtype: 'float32', dims: [5], data: [-4, -1, 0.3, 2, 4] }] } as const;

/** y = x where x > 0, else a (exp(x) - 1) (Clevert et al., arXiv 1511.07289):  dx = dy where x > 0, else dy (y + a). */
export const elu = unary({
  op: 'Elu',
  since: 6,
  samples: [bothSides, { ...bothSides, name: 'its own curve', attrs: { alpha: 0.5 } }],
  dx: (emit, dy, x, y, call) =>
    choose(emit, above(emit, x), dy, mul(emit, dy, plus(emit, y, floatAttr(call, 'alpha', 1)))),
});

/** y = g x where x > 0, else g a (exp(x) - 1) (Klambauer et al., arXiv 1706.02515):  dx = dy g where x > 0, else dy (y + g a). */
export const selu = unary({
  op: 'Selu',
  since: 6,
  samples: [bothSides, { ...bothSides, name: 'its own curve', attrs: { alpha: 0.5, gamma: 1.5 } }],
  dx: (emit, dy, x, y, call) => {
    const [alpha, gamma] = [floatAttr(call, 'alpha', 1.6732631921768188), floatAttr(call, 'gamma', 1.0507010221481323)];
    return choose(emit, above(emit, x), scale(emit, dy, gamma), mul(emit, dy, plus(emit, y, alpha * gamma)));
  },
});

/** y = x h, h = min(max(x / 6 + 1 / 2, 0), 1) (Howard et al., arXiv 1905.02244):  dx = dy (h + x / 6 [0 < h < 1]). */
export const hardSwish = unary({
  op: 'HardSwish',
  since: 14,
  samples: [wide],
  dx: (emit, dy, x) => {
    const line = plus(emit, scale(emit, x, 1 / 6), 0.5);
    const share = emit.op('Clip', [line, scalarLike(emit, x, 0), scalarLike(emit, x, 1)]);
    const inside = emit.op('And', [above(emit, line), emit.op('Less', [line, scalarLike(emit, x, 1)])]);
    return mul(emit, dy, emit.op('Add', [share, selected(emit, inside, scale(emit, x, 1 / 6))]));
  },
});

/** y = x t, t = tanh(log(1 + exp(x))) (Misra, arXiv 1908.08681):  dx = dy (t + x (1 - t^2) sigmoid(x)). */
export const mish = unary({
  op: 'Mish',
  since: 18,
  dx: (emit, dy, x) => {
    const t = emit.op('Tanh', [emit.op('Log', [plus(emit, emit.op('Exp', [x]), 1)])]);
    const slope = emit.op('Sub', [scalarLike(emit, x, 1), mul(emit, t, t)]);
    return mul(emit, dy, emit.op('Add', [t, mul(emit, mul(emit, x, slope), emit.op('Sigmoid', [x]))]));
  },
});

/** y = x / (1 + |x|):  dx = dy / (1 + |x|)^2. */
export const softsign = unary({
  op: 'Softsign',
  since: 1,
  samples: [bothSides],
  dx: (emit, dy, x) => {
    const root = plus(emit, emit.op('Abs', [x]), 1);
    return emit.op('Div', [dy, mul(emit, root, root)]);
  },
});

/** y = x where x > 0, else a x, a slope for each channel:  dx = dy where x > 0, else a dy;  da = dy x where x <= 0. */
export const prelu: OpDef = {
  domain: '',
  op: 'PRelu',
  since: 7,
  infer: inferSame,
  alike: 'all',
  gradient: (emit, call, [dy]) => {
    if (dy == null) return [null, null];
    const [x, slope] = [operand(call, 0), operand(call, 1)];
    const right = above(emit, x);
    const left = emit.op('Not', [right]);
    return [choose(emit, right, dy, mul(emit, dy, slope)), selected(emit, left, mul(emit, dy, x))];
  },
  cut: broadcastCut(inferSame),
  uses: (call) => along(call, { 1: 'scale' }),
  macs: noMacs,
  samples: [{ name: 'a slope for each channel', inputs: [floats(2, 3, 4), floats(3, 1)] }],
};
