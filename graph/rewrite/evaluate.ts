import { dtypeOf } from '../codec/dtypes.ts';
import type { Node, TensorType } from '../graph.ts';
import {
  arrayOf,
  bytesOf,
  type DType,
  derivedBytes,
  elementCount,
  isInt32,
  isWhole,
  newArray,
  numbersOf,
  type Tensor,
  tensorOf,
  vector,
} from '../tensor.ts';

/** The value of a node whose inputs are all weights, or undefined where it is not worth a host implementation. */
export const evaluate = (node: Node, inputs: readonly Tensor[], type: TensorType): Tensor | undefined => {
  if (node.domain !== '') return undefined;
  const dims = type.shape?.filter((dim) => typeof dim === 'number');
  const [first] = inputs;
  if (first === undefined || dims === undefined || dims.length !== type.shape?.length) return undefined;
  return evaluators[node.op]?.(node, inputs, { dtype: type.dtype, dims });
};

interface Result {
  readonly dtype: DType;
  readonly dims: readonly number[];
}
type Evaluator = (node: Node, inputs: readonly Tensor[], result: Result) => Tensor | undefined;

/** Same bytes under another shape. */
const relabel: Evaluator = (_, [input], { dims }) =>
  input !== undefined && elementCount(input.dims) === elementCount(dims) ? { ...input, dims } : undefined;

/** From this size on a matrix is turned when it is read: a model whose weights all stand the other way round stays in its file. */
const LARGE = 1 << 16;

const turned = (input: Tensor, order: readonly number[], dims: readonly number[]): Float32Array => {
  const source = arrayOf({ ...input, dtype: 'float32' });
  const result = new Float32Array(source.length);
  // Step through the source for a step along each axis of the result.
  const strides = input.dims.map((_, axis) => elementCount(input.dims.slice(axis + 1)));
  const steps = order.map((axis) => strides[axis] ?? 0);
  const index = dims.map(() => 0);
  let at = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = source[at] as number;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const step = steps[axis] as number;
      at += step;
      index[axis] = (index[axis] as number) + 1;
      if (index[axis] !== dims[axis]) break;
      at -= step * (index[axis] as number);
      index[axis] = 0;
    }
  }
  return result;
};

const transpose: Evaluator = (node, [input], { dtype, dims }) => {
  if (input?.dtype !== 'float32' || dtype !== 'float32') return undefined;
  const perm = node.attrs.perm;
  const order = perm?.kind === 'ints' ? perm.value : input.dims.map((_, axis) => input.dims.length - 1 - axis);
  const make = (): Uint8Array => bytesOf(turned(input, order, dims)).read();
  const { length } = input.bytes;
  return { dtype, dims, bytes: length < LARGE ? bytesOf(make()) : derivedBytes(length, make) };
};

/** Larger casts are left to the runtime, which does them once at load. */
const elementLimit = 4096;

const cast: Evaluator = (node, [input], { dims }) => {
  const to = node.attrs.to;
  if (input === undefined || to?.kind !== 'int' || elementCount(dims) > elementLimit) return undefined;
  const dtype = dtypeOf(to.value, `Cast '${node.name}'`);
  if (!castable.has(input.dtype)) return undefined;
  const numbers = numbersOf(input);
  switch (dtype) {
    case 'float32':
    case 'float64':
      // A 64-bit integer that a double rounds would be rounded twice.
      return input.dtype !== 'int64' || numbers.every(isWhole) ? vector(dtype, numbers, dims) : undefined;
    case 'int32':
      return numbers.every((x) => isInt32(Math.trunc(x))) ? vector(dtype, numbers.map(Math.trunc), dims) : undefined;
    case 'int64':
      return numbers.every((x) => isWhole(Math.trunc(x))) ? vector(dtype, numbers.map(Math.trunc), dims) : undefined;
    case 'bool':
      return tensorOf(
        'bool',
        dims,
        Uint8Array.from(numbers, (x) => (x === 0 ? 0 : 1)),
      );
    default:
      return undefined;
  }
};
const castable: ReadonlySet<DType> = new Set(['float32', 'float64', 'int32', 'int64', 'bool', 'uint8', 'int8']);

const float = (tensor: Tensor | undefined): Float32Array | undefined =>
  tensor?.dtype === 'float32' ? arrayOf({ ...tensor, dtype: 'float32' }) : undefined;

/** Elementwise on equal shapes, or with one side a single element. */
const binary =
  (apply: (a: number, b: number) => number): Evaluator =>
  (_, [left, right], { dims }) => {
    const a = float(left);
    const b = float(right);
    const count = elementCount(dims);
    const whole = (side: Float32Array): boolean => side.length === count || side.length === 1;
    const same = a?.length === b?.length && left?.dims.join() !== right?.dims.join();
    if (a === undefined || b === undefined || same || !whole(a) || !whole(b)) return undefined;
    const result = newArray('float32', count);
    for (let i = 0; i < count; i++) {
      result[i] = apply(a[a.length === 1 ? 0 : i] as number, b[b.length === 1 ? 0 : i] as number);
    }
    return tensorOf('float32', dims, result);
  };

const unary =
  (apply: (x: number) => number): Evaluator =>
  (_, [input], { dims }) => {
    const x = float(input);
    return x === undefined ? undefined : tensorOf('float32', dims, x.map(apply));
  };

const evaluators: Readonly<Record<string, Evaluator>> = {
  Reshape: relabel,
  Unsqueeze: relabel,
  Squeeze: relabel,
  Flatten: relabel,
  Transpose: transpose,
  Cast: cast,
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Neg: unary((x) => -x),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
};
