import { floatAttr } from '../../../../graph/ops/shared-math.ts';
import { intAttr, intsAttr } from '../../../../graph/ops/shared-structure.ts';
import { type Walk, walksOf } from '../../../../graph/ops/shared-walks.ts';
import type { Kernel, Kernels, Work } from '../kernel.ts';
import type { Library, Tensor } from '../library.ts';

/** Every axis but batch and channels. */
const placesOf = (x: Tensor): number[] => x.shape.map((_, axis) => axis).slice(2);

/** All offsets inside a kernel. */
const offsetsOf = (walks: readonly Walk[]): readonly (readonly number[])[] =>
  walks.reduce<readonly (readonly number[])[]>(
    (all, { kernel, dilation }) =>
      all.flatMap((offset) => Array.from({ length: kernel }, (_, k) => [...offset, k * dilation])),
    [[]],
  );

/** What every place sees at each offset of its kernel, (batch, channels, places ..), with `fill` for padding. */
const seen = ({ tf, shape }: Work, x: Tensor, walks: readonly Walk[], fill: number): readonly Tensor[] => {
  const places = shape().slice(2);
  const sides = walks.map(({ before, after, stride }): [number, number] => [before, after + stride - 1]);
  const wide = tf.pad(x, [[0, 0], [0, 0], ...sides], fill);
  const strides = [1, 1, ...walks.map(({ stride }) => stride)];
  return offsetsOf(walks).map((offset) => {
    const begin = [0, 0, ...offset];
    const end = [
      ...x.shape.slice(0, 2),
      ...offset.map((from, i) => from + ((places[i] ?? 1) - 1) * (walks[i]?.stride ?? 1) + 1),
    ];
    return tf.stridedSlice(wide, begin, end, strides);
  });
};

const folded = (parts: readonly Tensor[], f: (a: Tensor, b: Tensor) => Tensor): Tensor => {
  const [first, ...others] = parts;
  if (first === undefined) throw new TypeError('a kernel sees an element');
  return others.reduce(f, first);
};

const walksAt = ({ call }: Work): readonly Walk[] => walksOf(call, intsAttr(call.node, 'kernel_shape') ?? []);

const averagePool: Kernel = (work) => {
  const { tf, call, x } = work;
  const walks = walksAt(work);
  const sum = (v: Tensor): Tensor => folded(seen(work, v, walks, 0), (a, b) => tf.add(a, b));
  const counts =
    intAttr(call.node, 'count_include_pad', 0) === 1
      ? walks.reduce((count, { kernel }) => count * kernel, 1)
      : sum(tf.onesLike(x(0)));
  return tf.div(sum(x(0)), counts);
};

const maxPool: Kernel = (work) => {
  if (work.call.node.outputs.length > 1) throw new TypeError('has no kernel that says where the largest elements are');
  const parts = seen(work, work.x(0), walksAt(work), Number.NEGATIVE_INFINITY);
  return folded(parts, (a, b) => work.tf.maximum(a, b));
};

/** A vector beside (batch, channels, places ..). */
const perChannel = (tf: Library, v: Tensor, rank: number): Tensor =>
  tf.reshape(v, [v.size, ...Array.from({ length: rank - 2 }, () => 1)]);

const batchNormalization: Kernel = ({ tf, call, x }) => {
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((position) => perChannel(tf, x(position), x(0).rank));
  if (scale === undefined || shift === undefined || mean === undefined || variance === undefined) {
    throw new TypeError('has four vectors');
  }
  const inverse = tf.rsqrt(tf.add(variance, floatAttr(call, 'epsilon', 1e-5)));
  return tf.add(tf.mul(tf.mul(tf.sub(x(0), mean), inverse), scale), shift);
};

/** Channels normalised, and places pooled. */
export const pooling: Kernels = {
  BatchNormalization: batchNormalization,
  AveragePool: averagePool,
  MaxPool: maxPool,
  GlobalAveragePool: ({ tf, x }) => tf.mean(x(0), placesOf(x(0)), true),
  GlobalMaxPool: ({ tf, x }) => tf.max(x(0), placesOf(x(0)), true),
};
