import { intAttr } from '../../../../graph/ops/shared-structure.ts';
import type { DType } from '../../../../graph/tensor.ts';
import type { Kernel, Kernels, Work } from '../kernel.ts';
import type { Library, Tensor } from '../library.ts';
import { product } from './products.ts';

const LARGEST_UINT8 = 255;

const ranges: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  uint8: [0, LARGEST_UINT8],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

/** One number an index of `axis`, in a shape that meets x there. */
const along = ({ tf, call, x }: Work, vector: Tensor): Tensor => {
  if (vector.rank === 0 || vector.size === 1) return tf.reshape(vector, []);
  if (intAttr(call.node, 'block_size', 0) > 0) throw new TypeError('has no kernel for scales of blocks');
  const { rank } = x(0);
  const axis = intAttr(call.node, 'axis', 1);
  const at = axis < 0 ? axis + rank : axis;
  return tf.reshape(
    vector,
    x(0).shape.map((_, i) => (i === at ? vector.size : 1)),
  );
};

const saturated = (tf: Library, x: Tensor, dtype: DType): Tensor => {
  const [low, high] = ranges[dtype] ?? [];
  if (low === undefined || high === undefined) throw new TypeError(`has no kernel for ${dtype}`);
  return tf.cast(tf.clipByValue(x, low, high), 'int32');
};

const quantize: Kernel = (work) => {
  const { tf, x, given, made } = work;
  const steps = tf.round(tf.div(x(0), along(work, x(1))));
  const zero = given(2);
  const shifted = zero === undefined ? steps : tf.add(steps, tf.cast(along(work, zero), 'float32'));
  return saturated(tf, shifted, made());
};

const dequantize: Kernel = (work) => {
  const { tf, x, given } = work;
  const zero = given(2);
  const numbers = tf.cast(zero === undefined ? x(0) : tf.sub(x(0), along(work, zero)), 'float32');
  return tf.mul(numbers, along(work, x(1)));
};

/** x in unsigned bytes between its own extremes, zero among them. */
const dynamic = (tf: Library, x: Tensor): readonly [Tensor, Tensor, Tensor] => {
  const zero = tf.scalar(0);
  const [low, high] = [tf.minimum(tf.min(x), zero), tf.maximum(tf.max(x), zero)];
  const range = tf.div(tf.sub(high, low), LARGEST_UINT8);
  const scale = tf.where(tf.equal(range, 0), tf.scalar(1), range);
  const point = tf.clipByValue(tf.round(tf.div(tf.neg(low), scale)), 0, LARGEST_UINT8);
  const y = saturated(tf, tf.add(tf.round(tf.div(x, scale)), point), 'uint8');
  return [y, scale, tf.cast(point, 'int32')];
};

/** Zero points of rows stand in a column, those of columns in a row. */
const shifted = (tf: Library, x: Tensor, zero: Tensor | undefined, side: 'rows' | 'columns'): Tensor => {
  if (zero === undefined) return x;
  const isOne = zero.size === 1;
  const point = isOne ? tf.reshape(zero, []) : side === 'rows' ? tf.reshape(zero, [-1, 1]) : zero;
  return tf.sub(x, point);
};

/** (a - zero point) (b - zero point). */
export const integerProduct = (tf: Library, a: Tensor, b: Tensor, zeroA?: Tensor, zeroB?: Tensor): Tensor =>
  product(tf, shifted(tf, a, zeroA, 'rows'), shifted(tf, b, zeroB, 'columns'));

/** The product of integers as floats, with its scales and a bias. */
const scaled = (tf: Library, sum: Tensor, scales: readonly Tensor[], bias: Tensor | undefined): Tensor => {
  const y = scales.reduce((x, scale) => tf.mul(x, scale), tf.cast(sum, 'float32'));
  return bias === undefined ? y : tf.add(y, bias);
};

const dynamicMatMul: Kernel = ({ tf, x, given }) => {
  const [a, scale, zero] = dynamic(tf, x(0));
  return scaled(tf, integerProduct(tf, a, x(1), zero, given(3)), [scale, x(2)], given(4));
};

const integerToFloat: Kernel = ({ tf, x, given }) =>
  scaled(tf, integerProduct(tf, x(0), x(1), given(4), given(5)), [x(2), x(3)], given(6));

/** Integers of 8 bits: their products are computed in 32, as on the CPU. */
export const quantization: Kernels = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: ({ tf, x }) => dynamic(tf, x(0)),
  MatMulInteger: ({ tf, x, given }) => integerProduct(tf, x(0), x(1), given(2), given(3)),
  'com.microsoft:DynamicQuantizeMatMul': dynamicMatMul,
  'com.microsoft:MatMulIntegerToFloat': integerToFloat,
};
