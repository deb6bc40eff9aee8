import { dtypeOfNumber, intAttr } from '../../../../graph/ops/shared-structure.ts';
import type { DType } from '../../../../graph/tensor.ts';
import type { Kernel, Kernels } from '../kernel.ts';
import { type Library, storedAs, type Tensor } from '../library.ts';

const compared =
  (f: (tf: Library, a: Tensor, b: Tensor) => Tensor): Kernel =>
  ({ tf, x }) =>
    f(tf, x(0), x(1));

/** Integers of few bits wrap around, as C does it. */
const wraps: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  uint8: [0, 2 ** 8],
  int8: [-(2 ** 7), 2 ** 8],
  uint16: [0, 2 ** 16],
  int16: [-(2 ** 15), 2 ** 16],
};

/** The elements in another type, towards zero. */
export const castTo = (tf: Library, x: Tensor, dtype: DType): Tensor => {
  const stored = storedAs(dtype);
  if (stored === undefined) throw new TypeError(`there is no ${dtype}`);
  const cast = tf.cast(x, stored);
  const [low, steps] = wraps[dtype] ?? [];
  if (low === undefined || steps === undefined || x.dtype === 'bool') return cast;
  const [from, size] = [tf.scalar(low, 'int32'), tf.scalar(steps, 'int32')];
  return tf.add(tf.mod(tf.sub(cast, from), size), from);
};

const cast: Kernel = ({ tf, call, x }) => castTo(tf, x(0), dtypeOfNumber(call, intAttr(call.node, 'to', 0)));

const isInfinite: Kernel = ({ tf, call, x }) => {
  const side = (name: string, infinity: number): readonly Tensor[] =>
    intAttr(call.node, name, 1) === 1 ? [tf.equal(x(0), infinity)] : [];
  const sides = [
    ...side('detect_positive', Number.POSITIVE_INFINITY),
    ...side('detect_negative', Number.NEGATIVE_INFINITY),
  ];
  return sides.reduce((a, b) => tf.logicalOr(a, b), tf.zerosLike(tf.equal(x(0), 0)));
};

/** Comparisons, logic, choices between elements and between types. */
export const choices: Kernels = {
  Equal: compared((tf, a, b) => tf.equal(a, b)),
  Less: compared((tf, a, b) => tf.less(a, b)),
  LessOrEqual: compared((tf, a, b) => tf.lessEqual(a, b)),
  Greater: compared((tf, a, b) => tf.greater(a, b)),
  GreaterOrEqual: compared((tf, a, b) => tf.greaterEqual(a, b)),
  And: compared((tf, a, b) => tf.logicalAnd(a, b)),
  Or: compared((tf, a, b) => tf.logicalOr(a, b)),
  Xor: compared((tf, a, b) => tf.notEqual(a, b)),
  Not: ({ tf, x }) => tf.logicalNot(x(0)),
  IsNaN: ({ tf, x }) => tf.isNaN(x(0)),
  IsInf: isInfinite,
  Where: ({ tf, x }) => tf.where(x(0), x(1), x(2)),
  Cast: cast,
  CastLike: ({ tf, x, made }) => castTo(tf, x(0), made()),
};
