import { keepsAxes, reducedAxes } from '../../../../graph/ops/reductions.ts';
import { softmaxAxes } from '../../../../graph/ops/softmax.ts';
import type { Kernel, Kernels, Work } from '../kernel.ts';
import type { Library, Tensor } from '../library.ts';

/** A function of x, its reduced axes and whether these stay, of size one. */
type Reduction = (tf: Library, x: Tensor, axes: number[], keeps: boolean) => Tensor;

const reduction =
  (f: Reduction): Kernel =>
  ({ tf, call, x }) => {
    const axes = reducedAxes(call, x(0).rank);
    if (axes === undefined) throw new TypeError('its axes are not known before it runs');
    return f(tf, x(0), [...axes], keepsAxes(call));
  };

const largest: Reduction = (tf, x, axes, keeps) => (axes.length === 0 ? x : tf.max(x, axes, keeps));

/** log sum exp(x), the largest taken out first where it is a number. */
const logSumExp: Reduction = (tf, x, axes, keeps) => {
  const most = largest(tf, x, axes, true);
  const top = tf.where(tf.isFinite(most), most, tf.zerosLike(most));
  const sum = tf.log(tf.sum(tf.exp(tf.sub(x, top)), axes, true));
  const kept = tf.add(top, sum);
  return keeps
    ? kept
    : tf.reshape(
        kept,
        kept.shape.filter((_, axis) => !axes.includes(axis)),
      );
};

/** The columns of a matrix, or of a stack of them, as a product with a row of ones: half the time of the library's own sum. */
const columnSums = (tf: Library, x: Tensor): Tensor => {
  const width = x.shape.at(-1) ?? 1;
  const rows = x.size / width;
  return tf.matMul(tf.ones([1, rows]), tf.reshape(x, [rows, width]));
};

const sum: Reduction = (tf, x, axes, keeps) => {
  if (axes.length === 0) return x;
  const isOfColumns = axes.length === x.rank - 1 && !axes.includes(x.rank - 1) && x.size > 0;
  if (!isOfColumns || x.dtype !== 'float32') return tf.sum(x, axes, keeps);
  const width = x.shape.at(-1) ?? 1;
  return tf.reshape(columnSums(tf, x), keeps ? x.shape.map((_, axis) => (axes.includes(axis) ? 1 : width)) : [width]);
};

const overSoftmax =
  (f: (tf: Library, x: Tensor, axes: number[]) => Tensor): Kernel =>
  ({ tf, call, x }: Work) =>
    f(tf, x(0), [...softmaxAxes(call)]);

/** exp(x) / sum exp(x), the largest taken out first; the library's own along the last axis. */
const softmax = (tf: Library, x: Tensor, axes: number[]): Tensor => {
  if (axes.length === 1 && axes[0] === x.rank - 1) return tf.softmax(x);
  const powers = tf.exp(tf.sub(x, tf.max(x, axes, true)));
  return tf.div(powers, tf.sum(powers, axes, true));
};

const logSoftmax = (tf: Library, x: Tensor, axes: number[]): Tensor => {
  const below = tf.sub(x, tf.max(x, axes, true));
  return tf.sub(below, tf.log(tf.sum(tf.exp(below), axes, true)));
};

/** Operators that make one number of many. */
export const reductions: Kernels = {
  ReduceSum: reduction(sum),
  ReduceMean: reduction((tf, x, axes, keeps) => (axes.length === 0 ? x : tf.mean(x, axes, keeps))),
  ReduceMax: reduction(largest),
  ReduceMin: reduction((tf, x, axes, keeps) => (axes.length === 0 ? x : tf.min(x, axes, keeps))),
  ReduceSumSquare: reduction((tf, x, axes, keeps) => sum(tf, tf.square(x), axes, keeps)),
  ReduceL1: reduction((tf, x, axes, keeps) => sum(tf, tf.abs(x), axes, keeps)),
  ReduceL2: reduction((tf, x, axes, keeps) => tf.sqrt(sum(tf, tf.square(x), axes, keeps))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceProd: reduction((tf, x, axes, keeps) => (axes.length === 0 ? x : tf.prod(x, axes, keeps))),
  ReduceLogSum: reduction((tf, x, axes, keeps) => tf.log(sum(tf, x, axes, keeps))),
  Softmax: overSoftmax(softmax),
  LogSoftmax: overSoftmax(logSoftmax),
};
