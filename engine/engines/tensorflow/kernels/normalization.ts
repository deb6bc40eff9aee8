import { normalizedAxes } from '../../../../graph/ops/normalization.ts';
import { floatAttr } from '../../../../graph/ops/shared-math.ts';
import type { Kernel, Kernels } from '../kernel.ts';
import type { Library, Tensor } from '../library.ts';

interface Normalized {
  readonly y: Tensor;
  readonly mean: Tensor;
  /** 1 / standard deviation. */
  readonly inverse: Tensor;
}

interface Settings {
  readonly axes: readonly number[];
  readonly epsilon: number;
}

/** h = (x - mean) / s, y = h scale + bias, s = sqrt(variance + epsilon). */
export const layerNorm = (
  tf: Library,
  [x, scale, bias]: readonly [Tensor, Tensor | undefined, Tensor | undefined],
  { axes, epsilon }: Settings,
): Normalized => {
  const mean = tf.mean(x, [...axes], true);
  const centred = tf.sub(x, mean);
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), [...axes], true), epsilon));
  const hat = tf.mul(centred, inverse);
  const y = scale === undefined ? hat : tf.mul(hat, scale);
  return { y: bias === undefined ? y : tf.add(y, bias), mean, inverse };
};

/** y = x scale / s, s = sqrt(mean(x^2) + epsilon). */
const rmsNorm = (tf: Library, x: Tensor, scale: Tensor, { axes, epsilon }: Settings): Omit<Normalized, 'mean'> => {
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), [...axes], true), epsilon));
  return { y: tf.mul(tf.mul(x, inverse), scale), inverse };
};

const layerNormalization: Kernel = ({ tf, call, x, given }) => {
  const settings = { axes: normalizedAxes(call), epsilon: floatAttr(call, 'epsilon', 1e-5) };
  const { y, mean, inverse } = layerNorm(tf, [x(0), given(1), given(2)], settings);
  return [y, mean, inverse];
};

const rmsNormalization: Kernel = ({ tf, call, x }) => {
  const settings = { axes: normalizedAxes(call), epsilon: floatAttr(call, 'epsilon', 1e-5) };
  const { y, inverse } = rmsNorm(tf, x(0), x(1), settings);
  return [y, inverse];
};

/** The two of x + skip + bias, which is an output of its own. */
const skipLayerNormalization: Kernel = ({ tf, call, x, given }) => {
  const bias = given(4);
  const plain = tf.add(x(0), x(1));
  const total = bias === undefined ? plain : tf.add(plain, bias);
  const settings = { axes: [total.rank - 1], epsilon: floatAttr(call, 'epsilon', 1e-12) };
  const { y, mean, inverse } = layerNorm(tf, [total, x(2), given(3)], settings);
  return [y, mean, inverse, total];
};

const skipSimplified: Kernel = ({ tf, call, x, given }) => {
  const bias = given(3);
  const plain = tf.add(x(0), x(1));
  const total = bias === undefined ? plain : tf.add(plain, bias);
  const settings = { axes: [total.rank - 1], epsilon: floatAttr(call, 'epsilon', 1e-12) };
  const { y, inverse } = rmsNorm(tf, total, x(2), settings);
  return [y, tf.zerosLike(inverse), inverse, total];
};

/** Rows brought to one mean and deviation. */
export const normalization: Kernels = {
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  SimplifiedLayerNormalization: rmsNormalization,
  'com.microsoft:SkipLayerNormalization': skipLayerNormalization,
  'com.microsoft:SkipSimplifiedLayerNormalization': skipSimplified,
};
