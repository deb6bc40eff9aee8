import { floatAttr } from '../../../../graph/ops/shared-math.ts';
import { intAttr, stringAttr } from '../../../../graph/ops/shared-structure.ts';
import type { Kernel, Kernels, Work } from '../kernel.ts';
import type { Library, Tensor } from '../library.ts';

const isInteger = ({ dtype }: Tensor): boolean => dtype === 'int32';

const unary =
  (f: (tf: Library, x: Tensor, work: Work) => Tensor): Kernel =>
  (work) =>
    f(work.tf, work.x(0), work);

const binary =
  (f: (tf: Library, a: Tensor, b: Tensor) => Tensor): Kernel =>
  ({ tf, x }) =>
    f(tf, x(0), x(1));

/** One after the other over all inputs. */
const variadic =
  (f: (tf: Library, a: Tensor, b: Tensor) => Tensor): Kernel =>
  ({ tf, call, x }) =>
    call.node.inputs.slice(1).reduce((sum, _, i) => f(tf, sum, x(i + 1)), x(0));

/** The quotient towards zero: the library's own for integers goes down, which is one too low where signs differ. */
const truncated = (tf: Library, a: Tensor, b: Tensor): Tensor => {
  const low = tf.floorDiv(a, b);
  const differ = tf.notEqual(tf.less(a, 0), tf.less(b, 0));
  const isLow = tf.logicalAnd(differ, tf.notEqual(tf.mul(low, b), a));
  return tf.add(low, tf.cast(isLow, 'int32'));
};

const divided = (tf: Library, a: Tensor, b: Tensor): Tensor => (isInteger(a) ? truncated(tf, a, b) : tf.div(a, b));

/** x^y in the type of x. Squares are what optimizers and norms ask for. */
const power: Kernel = ({ tf, x, numbers, call }) => {
  const base = x(0);
  const [exponent] = call.inputs[1]?.shape?.length === 0 ? (numbers(1) ?? []) : [];
  if (exponent === 2) return tf.square(base);
  const result = tf.pow(tf.cast(base, 'float32'), tf.cast(x(1), 'float32'));
  return isInteger(base) ? tf.cast(result, 'int32') : result;
};

/** The bounds are inputs, or attributes in old operator sets; the upper one wins where they cross. */
const clip: Kernel = ({ tf, call, x, given }) => {
  const bound = (position: number, name: string): Tensor | undefined => {
    const limit = floatAttr(call, name, Number.NaN);
    return given(position) ?? (Number.isNaN(limit) ? undefined : tf.scalar(limit));
  };
  const [low, high] = [bound(1, 'min'), bound(2, 'max')];
  const raised = low === undefined ? x(0) : tf.maximum(x(0), low);
  return high === undefined ? raised : tf.minimum(raised, high);
};

/** The remainder has the sign of the divisor, or of the dividend where `fmod` says so. */
const mod: Kernel = ({ tf, call, x }) => {
  const [a, b] = [x(0), x(1)];
  if (intAttr(call.node, 'fmod', 0) === 0) return tf.mod(a, b);
  return tf.mul(tf.mod(tf.abs(a), tf.abs(b)), tf.sign(a));
};

/** x / 2 (1 + erf(x / sqrt(2))). */
const exactGelu = (tf: Library, x: Tensor): Tensor =>
  tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

/** x / 2 (1 + tanh(a (x + b x^3))), a = sqrt(2 / pi), b = 0.044715. */
const tanhGelu = (tf: Library, x: Tensor): Tensor => {
  const a = Math.sqrt(2 / Math.PI);
  const inner = tf.mul(x, tf.add(tf.mul(tf.square(x), a * 0.044715), a));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
};

const gelu = unary((tf, x, { call }) =>
  stringAttr(call.node, 'approximate', 'none') === 'tanh' ? tanhGelu(tf, x) : exactGelu(tf, x),
);

/** A Gelu of x, or of x + bias. */
const biased =
  (f: (tf: Library, x: Tensor) => Tensor): Kernel =>
  ({ tf, x, given }) => {
    const bias = given(1);
    return f(tf, bias === undefined ? x(0) : tf.add(x(0), bias));
  };

/** Operators that make each element of the elements at its place. */
export const elements: Kernels = {
  Add: binary((tf, a, b) => tf.add(a, b)),
  Sub: binary((tf, a, b) => tf.sub(a, b)),
  Mul: binary((tf, a, b) => tf.mul(a, b)),
  Div: binary(divided),
  Pow: power,
  Mod: mod,
  Max: variadic((tf, a, b) => tf.maximum(a, b)),
  Min: variadic((tf, a, b) => tf.minimum(a, b)),
  Sum: variadic((tf, a, b) => tf.add(a, b)),
  Mean: (work) => {
    const sum = variadic((tf, a, b) => tf.add(a, b))(work);
    return work.tf.div(sum as Tensor, work.call.node.inputs.length);
  },
  Clip: clip,
  Neg: unary((tf, x) => tf.neg(x)),
  Abs: unary((tf, x) => tf.abs(x)),
  Sqrt: unary((tf, x) => tf.sqrt(x)),
  Reciprocal: unary((tf, x) => tf.reciprocal(x)),
  Exp: unary((tf, x) => tf.exp(x)),
  Log: unary((tf, x) => tf.log(x)),
  Sin: unary((tf, x) => tf.sin(x)),
  Cos: unary((tf, x) => tf.cos(x)),
  Tanh: unary((tf, x) => tf.tanh(x)),
  Sigmoid: unary((tf, x) => tf.sigmoid(x)),
  Relu: unary((tf, x) => tf.relu(x)),
  LeakyRelu: unary((tf, x, { call }) => tf.leakyRelu(x, floatAttr(call, 'alpha', 0.01))),
  Softplus: unary((tf, x) => tf.softplus(x)),
  HardSigmoid: unary((tf, x, { call }) => {
    const line = tf.add(tf.mul(x, floatAttr(call, 'alpha', 0.2)), floatAttr(call, 'beta', 0.5));
    return tf.clipByValue(line, 0, 1);
  }),
  Erf: unary((tf, x) => tf.erf(x)),
  Ceil: unary((tf, x) => tf.ceil(x)),
  Floor: unary((tf, x) => tf.floor(x)),
  Round: unary((tf, x) => tf.round(x)),
  // The JavaScript backend has no sign for what is no number, and gives 0.
  Sign: unary((tf, x) => (isInteger(x) ? tf.sign(x) : tf.where(tf.isNaN(x), x, tf.sign(x)))),
  Gelu: gelu,
  'com.microsoft:Gelu': gelu,
  'com.microsoft:QuickGelu': unary((tf, x, { call }) =>
    tf.mul(x, tf.sigmoid(tf.mul(x, floatAttr(call, 'alpha', 1.702)))),
  ),
  'com.microsoft:BiasGelu': biased(exactGelu),
  'com.microsoft:FastGelu': biased(tanhGelu),
};
