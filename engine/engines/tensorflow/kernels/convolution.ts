import { intAttr, intsAttr, stringAttr } from '../../../../graph/ops/shared-structure.ts';
import type { Kernel, Kernels, Work } from '../kernel.ts';
import type { Library, Tensor } from '../library.ts';

/** A list of settings of two spatial axes; a sequence is an image of height one. */
const both = ({ call, x }: Work, name: string, fallback: number): readonly [number, number] => {
  const all = intsAttr(call.node, name) ?? [];
  const [first = fallback, second = fallback] = x(0).rank === 3 ? [fallback, ...all] : all;
  return [first, second];
};

type Amounts = readonly [readonly [number, number], readonly [number, number]];

/** Elements before and after height and width. */
const paddingOf = (work: Work, sizes: readonly [number, number], reach: readonly [number, number]): Amounts => {
  const { call, x } = work;
  const auto = stringAttr(call.node, 'auto_pad', 'NOTSET');
  const strides = both(work, 'strides', 1);
  if (auto.startsWith('SAME')) {
    const [height, width] = sizes.map((size, i): [number, number] => {
      const stride = strides[i] ?? 1;
      const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + (reach[i] ?? 1) - size);
      const less = Math.floor(total / 2);
      return auto === 'SAME_LOWER' ? [total - less, less] : [less, total - less];
    });
    return [height ?? [0, 0], width ?? [0, 0]];
  }
  const pads = auto === 'VALID' ? [] : (intsAttr(call.node, 'pads') ?? []);
  const [a = 0, b = 0, c = 0, d = 0] = pads;
  return x(0).rank === 3
    ? [
        [0, 0],
        [a, b],
      ]
    : [
        [a, c],
        [b, d],
      ];
};

/** Zeros between the elements of an axis: the library takes no strides beside dilations. */
const dilated = (tf: Library, kernel: Tensor, axis: number, by: number): Tensor => {
  if (by === 1) return kernel;
  const shape = kernel.shape.toSpliced(axis + 1, 0, 1);
  const amounts = shape.map((_, i): [number, number] => [0, i === axis + 1 ? by - 1 : 0]);
  const length = (kernel.shape[axis] ?? 1) * by;
  const spread = tf.reshape(tf.pad(tf.reshape(kernel, shape), amounts), kernel.shape.with(axis, length));
  return tf.slice(spread, [0, 0, 0, 0], spread.shape.with(axis, length - by + 1));
};

const conv: Kernel = (work) => {
  const { tf, call, x, given, shape } = work;
  const { rank } = x(0);
  if (rank < 3 || rank > 4) throw new TypeError(`has no kernel for a value of rank ${rank}`);
  const image = rank === 3 ? tf.expandDims(x(0), 2) : x(0);
  const kernel = rank === 3 ? tf.expandDims(x(1), 2) : x(1);
  const [down, across] = both(work, 'dilations', 1);
  const wide = dilated(tf, dilated(tf, tf.transpose(kernel, [2, 3, 1, 0]), 0, down), 1, across); // (h, w, in, out)
  const [height = 1, width = 1] = image.shape.slice(2);
  const padding = paddingOf(work, [height, width], [wide.shape[0] ?? 1, wide.shape[1] ?? 1]);
  const padded = tf.pad(tf.transpose(image, [0, 2, 3, 1]), [[0, 0], [...padding[0]], [...padding[1]], [0, 0]]);
  const groups = intAttr(call.node, 'group', 1);
  const [inputs, kernels] = [tf.split(padded, groups, 3), tf.split(wide, groups, 3)];
  const strides: [number, number] = [...both(work, 'strides', 1)];
  const parts = inputs.map((input, i) => tf.conv2d(input as never, kernels[i] as never, strides, 'valid') as Tensor);
  const y = tf.concat(parts, 3);
  const bias = given(2);
  return tf.reshape(tf.transpose(bias === undefined ? y : tf.add(y, bias), [0, 3, 1, 2]), shape());
};

/** Kernels of weights moved over an image or a sequence. */
export const convolution: Kernels = { Conv: conv };
