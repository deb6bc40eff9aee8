import { type Equation, equationOf } from '../../../../graph/ops/einsum.ts';
import { floatAttr } from '../../../../graph/ops/shared-math.ts';
import { stringAttr } from '../../../../graph/ops/shared-structure.ts';
import type { Kernel, Kernels } from '../kernel.ts';
import type { Library, Tensor } from '../library.ts';

/** gamma x where x > 0, else gamma alpha (exp(x) - 1). */
const exponential =
  (alpha: number, gamma: number): Kernel =>
  ({ tf, call, x }) => {
    const slope = floatAttr(call, 'gamma', gamma);
    const curve = tf.mul(tf.expm1(tf.minimum(x(0), 0)), slope * floatAttr(call, 'alpha', alpha));
    return tf.add(tf.mul(tf.relu(x(0)), slope), curve);
  };

const hardSwish = (tf: Library, x: Tensor): Tensor => tf.mul(x, tf.clipByValue(tf.add(tf.mul(x, 1 / 6), 0.5), 0, 1));

/** Every operand with an axis for each letter, multiplied, and summed over those that the result has not. */
const products = (tf: Library, operands: readonly Tensor[], { terms, result }: Equation): Tensor => {
  const summed = [...new Set(terms.join(''))].filter((letter) => !result.includes(letter));
  const letters = [...result, ...summed];
  const wide = operands.map((x, i) => {
    const term = terms[i] ?? '';
    const own = letters.filter((letter) => term.includes(letter));
    const turned = tf.transpose(
      x,
      own.map((letter) => term.indexOf(letter)),
    );
    return tf.reshape(
      turned,
      letters.map((letter) => (term.includes(letter) ? (x.shape[term.indexOf(letter)] ?? 1) : 1)),
    );
  });
  const [first, ...others] = wide;
  if (first === undefined) throw new TypeError('has an operand');
  const product = others.reduce((a, b) => tf.mul(a, b), first);
  return tf.sum(
    product,
    summed.map((_, i) => result.length + i),
  );
};

const einsum: Kernel = ({ tf, call, x }) => {
  const equation = equationOf(call);
  if (equation === undefined)
    throw new TypeError(`has no kernel for the equation '${stringAttr(call.node, 'equation', '')}'`);
  const operands = call.node.inputs.map((_, position) => x(position));
  if (operands.length !== 2) return products(tf, operands, equation);
  return tf.einsum(`${equation.terms.join(',')}->${equation.result}`, ...operands);
};

/** Activation functions beyond the usual ones, and sums that have letters for axes. */
export const curves: Kernels = {
  Elu: exponential(1, 1),
  Selu: exponential(1.6732631921768188, 1.0507010221481323),
  HardSwish: ({ tf, x }) => hardSwish(tf, x(0)),
  Mish: ({ tf, x }) => tf.mul(x(0), tf.tanh(tf.softplus(x(0)))),
  Softsign: ({ tf, x }) => tf.div(x(0), tf.add(tf.abs(x(0)), 1)),
  PRelu: ({ tf, x }) => tf.add(tf.relu(x(0)), tf.mul(x(1), tf.minimum(x(0), 0))),
  Einsum: einsum,
};
