import { floatAttr } from '../../../../graph/ops/shared-math.ts';
import { intAttr, stringAttr } from '../../../../graph/ops/shared-structure.ts';
import type { Kernel, Kernels, Work } from '../kernel.ts';
import type { Library, Tensor } from '../library.ts';

/** Whether the last two axes of a side are exchanged first. */
interface Turns {
  readonly a?: boolean;
  readonly b?: boolean;
}

const isOneOf = (call: Work['call'], name: string): boolean => intAttr(call.node, name, 0) === 1;

/** A stack repeated to the leading axes of a product: the JavaScript backend computes wrong numbers where both sides broadcast. */
const stacked = (tf: Library, x: Tensor, leading: readonly number[]): Tensor => {
  const shape = [...leading, ...x.shape.slice(-2)];
  return shape.join() === x.shape.join() ? x : tf.broadcastTo(x, shape);
};

const broadcast = (a: readonly number[], b: readonly number[]): number[] => {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [m, n] = [a[a.length - rank + axis] ?? 1, b[b.length - rank + axis] ?? 1];
    return m === 1 ? n : m;
  });
};

/** Products of matrices of at least two axes: rows of a stack times one matrix are one product. */
const matrices = (tf: Library, a: Tensor, b: Tensor, turns: Turns): Tensor => {
  if (b.rank === 2 && a.rank > 2 && turns.a !== true) {
    const rows = tf.reshape(a, [-1, a.shape.at(-1) ?? 1]);
    const columns = b.shape[turns.b === true ? 0 : 1] ?? 1;
    return tf.reshape(tf.matMul(rows, b, false, turns.b), [...a.shape.slice(0, -1), columns]);
  }
  const leading = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return tf.matMul(stacked(tf, a, leading), stacked(tf, b, leading), turns.a, turns.b);
};

/** Products as numpy has them: a vector is a row on the left and a column on the right. */
export const product = (tf: Library, a: Tensor, b: Tensor, turns: Turns = {}): Tensor => {
  const row = a.rank === 1 ? tf.expandDims(a, 0) : a;
  const column = b.rank === 1 ? tf.expandDims(b, 1) : b;
  let y = matrices(tf, row, column, { a: turns.a === true && a.rank > 1, b: turns.b === true && b.rank > 1 });
  if (b.rank === 1) y = tf.squeeze(y, [y.rank - 1]);
  return a.rank === 1 ? tf.squeeze(y, [y.rank - (b.rank === 1 ? 1 : 2)]) : y;
};

const scaled = (tf: Library, x: Tensor, factor: number): Tensor => (factor === 1 ? x : tf.mul(x, factor));

/** alpha op(a) op(b) + beta c, op an optional transposition. */
const gemm = ({ tf, call, x, given }: Work): Tensor => {
  const turns = { a: isOneOf(call, 'transA'), b: isOneOf(call, 'transB') };
  const y = scaled(tf, product(tf, x(0), x(1), turns), floatAttr(call, 'alpha', 1));
  const c = given(2);
  return c === undefined ? y : tf.add(y, scaled(tf, c, floatAttr(call, 'beta', 1)));
};

const activations: Readonly<Record<string, (tf: Library, x: Tensor, call: Work['call']) => Tensor>> = {
  Relu: (tf, x) => tf.relu(x),
  Tanh: (tf, x) => tf.tanh(x),
  Sigmoid: (tf, x) => tf.sigmoid(x),
  LeakyRelu: (tf, x, call) => tf.leakyRelu(x, floatAttr(call, 'activation_alpha', 0.01)),
};

const fusedGemm: Kernel = (work) => {
  const name = stringAttr(work.call.node, 'activation', '');
  const activation = Object.hasOwn(activations, name) ? activations[name] : undefined;
  if (activation === undefined) throw new TypeError(`there is no activation '${name}'`);
  return activation(work.tf, gemm(work), work.call);
};

const fusedMatMul: Kernel = ({ tf, call, x }) => {
  const turns = { a: isOneOf(call, 'transA'), b: isOneOf(call, 'transB') };
  return scaled(tf, product(tf, x(0), x(1), turns), floatAttr(call, 'alpha', 1));
};

/** Products of matrices. */
export const products: Kernels = {
  MatMul: ({ tf, x }) => product(tf, x(0), x(1)),
  Gemm: gemm,
  'com.microsoft:FusedGemm': fusedGemm,
  'com.microsoft:FusedMatMul': fusedMatMul,
};
