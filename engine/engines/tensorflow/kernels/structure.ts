import { inferNode } from '../../../../graph/call.ts';
import { tensorOfConstant } from '../../../../graph/ops/constant.ts';
import { padsOf } from '../../../../graph/ops/pad.ts';
import { intAttr, intsAttr, normalizeAxis, stringAttr, tensorAttr } from '../../../../graph/ops/shared-structure.ts';
import { indicesOf, rangesOf } from '../../../../graph/ops/slice.ts';
import type { DType } from '../../../../graph/tensor.ts';
import { hostTensorOf } from '../../../host.ts';
import { uploaded } from '../border.ts';
import type { Numbers } from '../held.ts';
import type { Kernel, Kernels, Work } from '../kernel.ts';
import { type Library, storedAs, type Tensor } from '../library.ts';
import { castTo } from './choices.ts';

const axisOf = ({ call, x }: Work, fallback: number): number =>
  normalizeAxis(call, intAttr(call.node, 'axis', fallback), x(0).rank);

/** The elements in another shape, which the operator's record says. */
const reshaped: Kernel = ({ tf, x, shape }) => tf.reshape(x(0), shape());

/** What the shape of an input comes to. */
const ofShape: Kernel = ({ call }) => {
  const [type] = inferNode(call) ?? [];
  const numbers = type?.ints?.filter((dim) => typeof dim === 'number');
  const dims = type?.shape?.filter((dim) => typeof dim === 'number');
  if (type === undefined || numbers === undefined || dims === undefined) throw new TypeError('its input has no shape');
  return { kind: 'numbers', dtype: type.dtype, dims, numbers } satisfies Numbers;
};

const transpose: Kernel = ({ tf, call, x }) => {
  const axes = intsAttr(call.node, 'perm');
  return tf.transpose(x(0), axes === undefined ? undefined : [...axes]);
};

const concat: Kernel = (work) => {
  const parts = work.call.node.inputs.map((_, i) => work.x(i));
  return work.tf.concat(parts, axisOf(work, 0));
};

const split: Kernel = (work) => {
  const axis = axisOf(work, 0);
  const sizes = work.call.node.outputs.map((_, i) => work.shape(i)[axis] ?? 0);
  return work.tf.split(work.x(0), sizes, axis);
};

/** Elements along one axis, by their indices: one stretch is no look-up. */
const picked = (tf: Library, x: Tensor, indices: readonly number[], axis: number): Tensor => {
  const [first = 0] = indices;
  if (!indices.every((index, i) => index === first + i)) return tf.gather(x, tf.tensor1d([...indices], 'int32'), axis);
  if (indices.length === x.shape[axis]) return x;
  const begin = x.shape.map((_, i) => (i === axis ? first : 0));
  return tf.slice(
    x,
    begin,
    x.shape.map((size, i) => (i === axis ? indices.length : size)),
  );
};

const slice: Kernel = ({ tf, call, x }) => {
  const ranges = rangesOf(call);
  if (ranges === undefined) throw new TypeError('its bounds are not known before it runs');
  return ranges.reduce((part, range) => {
    const indices = indicesOf(part.shape[range.axis], range);
    if (indices === undefined) throw new TypeError('its bounds are not known before it runs');
    return picked(tf, part, indices, range.axis);
  }, x(0));
};

/** The place of x that a place beyond its ends shows. */
const beyond: Readonly<Record<string, (i: number, size: number) => number>> = {
  edge: (i, size) => Math.min(Math.max(i, 0), size - 1),
  wrap: (i, size) => ((i % size) + size) % size,
  reflect: (i, size) => {
    const period = Math.max(1, 2 * (size - 1));
    const at = ((i % period) + period) % period;
    return at < size ? at : period - at;
  },
};

/** Negative amounts take away: the JavaScript backend pads by them with wrong numbers. */
const constantPad = (work: Work, before: readonly number[], after: readonly number[]): Tensor => {
  const { tf, x, numbers } = work;
  const begin = before.map((pad) => Math.max(0, -pad));
  const sizes = x(0).shape.map((size, i) => size - (begin[i] ?? 0) + Math.min(0, after[i] ?? 0));
  const amounts = before.map((pad, i): [number, number] => [Math.max(0, pad), Math.max(0, after[i] ?? 0)]);
  const left = tf.slice(x(0), begin, sizes);
  const [value = 0] = numbers(2) ?? [];
  return left.rank === 0 ? left : tf.pad(left, amounts, value);
};

const pad: Kernel = (work) => {
  const { tf, call, x } = work;
  const pads = padsOf(call, x(0).rank);
  const [before, after] = [pads?.before, pads?.after].map((side) => side?.filter((dim) => typeof dim === 'number'));
  if (before === undefined || after === undefined) throw new TypeError('its amounts are not known before it runs');
  const mode = stringAttr(call.node, 'mode', 'constant');
  if (mode === 'constant') return constantPad(work, before, after);
  const place = Object.hasOwn(beyond, mode) ? beyond[mode] : undefined;
  if (place === undefined) throw new TypeError(`there is no mode '${mode}'`);
  return before.reduce((y, from, axis) => {
    const size = x(0).shape[axis] ?? 0;
    const length = from + size + (after[axis] ?? 0);
    return picked(
      tf,
      y,
      Array.from({ length }, (_, i) => place(i - from, size)),
      axis,
    );
  }, x(0));
};

const filledWith = (tf: Library, shape: number[], value: number, dtype: DType): Tensor =>
  tf.fill(shape, value, storedAs(dtype));

const constantOfShape: Kernel = ({ tf, call, numbers, made }) => {
  const fill = tensorAttr(call.node, 'value');
  const [value = 0] = fill === undefined ? [] : Array.from(hostTensorOf(fill).data, Number);
  return filledWith(tf, [...(numbers(0) ?? [])], value, made());
};

const range: Kernel = ({ tf, numbers, made }) => {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((position) => numbers(position)?.[0] ?? 0);
  if (delta === 0) throw new RangeError('counts in steps of 0, which never ends');
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  const places = Array.from({ length }, (_, i) => start + i * delta);
  return tf.tensor1d(places, storedAs(made()));
};

/** A pattern over the last two axes: 1 where row and column say so. */
const pattern = (
  tf: Library,
  [rows, columns]: readonly [number, number],
  on: (row: number, column: number) => boolean,
) =>
  tf.tensor2d(
    Uint8Array.from({ length: rows * columns }, (_, i) => (on(Math.floor(i / columns), i % columns) ? 1 : 0)),
    [rows, columns],
    'bool',
  );

const eyeLike: Kernel = ({ tf, call, x, made }) => {
  const [rows = 0, columns = 0] = x(0).shape;
  const k = intAttr(call.node, 'k', 0);
  return castTo(
    tf,
    pattern(tf, [rows, columns], (row, column) => column - row === k),
    made(),
  );
};

const trilu: Kernel = ({ tf, call, x, numbers }) => {
  const [rows = 0, columns = 0] = x(0).shape.slice(-2);
  const [k = 0] = numbers(1) ?? [];
  const isUpper = intAttr(call.node, 'upper', 1) === 1;
  const kept = pattern(tf, [rows, columns], (row, column) => (isUpper ? column - row >= k : column - row <= k));
  return tf.where(kept, x(0), tf.zerosLike(x(0)));
};

const isTraining = ({ numbers }: Work): boolean => numbers(2)?.[0] === 1;

/** Inference passes everything on. Training feeds masks, so that a step is a function of its inputs. */
const dropout: Kernel = (work) => {
  if (isTraining(work)) throw new TypeError('draws a mask of its own (training_mode); feed one and multiply by it');
  const { tf, call, x } = work;
  // What is kept: nothing is said of it before operator set 12.
  return [x(0), tf.fill(x(0).shape, call.opset < 12 ? 0 : 1, 'bool')];
};

const constant: Kernel = ({ tf, call }) => {
  const tensor = tensorOfConstant(call.node);
  if (tensor === undefined) throw new TypeError('has no tensor');
  return uploaded(tf, call.node.name, hostTensorOf(tensor));
};

/** Operators that move elements, or make them of nothing but sizes. */
export const structure: Kernels = {
  Identity: ({ x }) => x(0),
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Shape: ofShape,
  Size: ofShape,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Expand: ({ tf, x, shape }) => tf.broadcastTo(x(0), shape()),
  Tile: ({ tf, x, numbers }) => tf.tile(x(0), [...(numbers(1) ?? [])]),
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  EyeLike: eyeLike,
  Trilu: trilu,
  Dropout: dropout,
};
