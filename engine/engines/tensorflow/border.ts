import { type DType, elementCount, newArray, type TypedArray } from '../../../graph/tensor.ts';
import { engineError } from '../../../ground/errors.ts';
import type { HostTensor } from '../../engine.ts';
import { lowHalves } from '../integers.ts';
import { type Library, storedAs, type Tensor } from './library.ts';

/** 64-bit integers, none of which may need its high half. */
const narrow = (name: string, data: BigInt64Array): Int32Array =>
  lowHalves(data, (i) =>
    engineError(
      `'${name}' holds ${data[i]} at index ${i}, which is no 32-bit integer: TensorFlow.js has no larger ones; use another engine`,
    ),
  );

const elementsFor = (name: string, { dtype, data }: HostTensor): TypedArray => {
  if (data instanceof BigInt64Array) return narrow(name, data);
  const stored = storedAs(dtype);
  if (stored === 'int32' && !(data instanceof Int32Array)) return new Int32Array(data as Uint8Array);
  return data;
};

/** A tensor of the library, which may go on reading the array that it was made of. */
export const uploaded = (tf: Library, name: string, tensor: HostTensor): Tensor => {
  const { dtype, dims, data } = tensor;
  const stored = storedAs(dtype);
  if (stored === undefined) {
    throw engineError(`'${name}' is ${dtype}, which TensorFlow.js does not compute with; use another engine`);
  }
  if (data.length !== elementCount(dims)) {
    throw new TypeError(`'${name}' is no ${dtype} tensor of [${dims.join(', ')}]: it has ${data.length} elements`);
  }
  // The library's types know no 64-bit arrays, which are narrowed here.
  return tf.tensor(elementsFor(name, tensor) as Float32Array | Int32Array | Uint8Array, [...dims], stored);
};

const isFlags = (data: TypedArray): data is Uint8Array => {
  if (!(data instanceof Uint8Array)) return false;
  let bits = 0;
  for (let i = 0; i < data.length; i++) bits |= data[i] as number;
  return bits <= 1;
};

/** Bytes of 0 and 1 in a quarter of the memory that the library has for integers; others as they are. */
export const uploadedFlags = (tf: Library, name: string, tensor: HostTensor): Tensor =>
  isFlags(tensor.data) ? uploaded(tf, name, { ...tensor, dtype: 'bool' }) : uploaded(tf, name, tensor);

/** A tensor of the host, in the array of `into` where there is one. */
export const placed = (tensor: HostTensor, into: HostTensor | undefined): HostTensor => {
  if (into === undefined) return tensor;
  if (into.dtype !== tensor.dtype || into.data.length !== tensor.data.length) {
    const texts = [tensor, into].map(({ dtype, dims }) => `${dtype} [${dims.join(', ')}]`);
    throw new RangeError(`an output of ${texts[0]} does not fit an array of ${texts[1]}`);
  }
  into.data.set(tensor.data as never);
  return into;
};

/** Elements of the library as the graph's type has them, in an array of their own. */
const elementsOf = (dtype: DType, elements: ArrayLike<number>): TypedArray => {
  const data = newArray(dtype, elements.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < elements.length; i++) data[i] = BigInt(elements[i] ?? 0);
  } else data.set(elements);
  return data;
};

/** What a tensor holds, in host memory that nobody else reads or writes, or in the array of `into`. */
export const downloaded = async (dtype: DType, tensor: Tensor, into?: HostTensor): Promise<HostTensor> => {
  const elements = await tensor.data<'float32' | 'int32' | 'bool'>();
  const dims = tensor.shape;
  if (into !== undefined && dtype === 'float32') return placed({ dtype, dims, data: elements }, into);
  return placed({ dtype, dims, data: elementsOf(dtype, elements) }, into);
};
