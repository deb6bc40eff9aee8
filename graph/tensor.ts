/** Element types, named as ONNX names them in lower case. Sized in bits because int4 and uint4 are packed. */
export const dtypeBits = {
  float32: 32,
  float64: 64,
  float16: 16,
  bfloat16: 16,
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
  bool: 8,
  int4: 4,
  uint4: 4,
} as const;
export type DType = keyof typeof dtypeBits;

/** Little-endian bytes, in memory or a range of a file that is read when needed. */
export interface Bytes {
  readonly length: number;
  read(): Uint8Array;
  /**
   * The same bytes piece by piece, for whoever only passes them on: a large table never lies in memory as a whole. A piece
   * is valid until the next one is asked for, and ends between two elements.
   */
  pieces?(): Iterable<Uint8Array>;
}

export interface Tensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly bytes: Bytes;
}

/** The arrays that hold elements of the types decant computes with on the host. Float16 travels as raw Uint16. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  int4: Uint8Array,
  uint4: Uint8Array,
} as const;

export type ArrayOf<D extends DType> = InstanceType<(typeof arrays)[D]>;

export const elementCount = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export const byteSize = (dtype: DType, dims: readonly number[]): number =>
  Math.ceil((elementCount(dims) * dtypeBits[dtype]) / 8);

export const bytesOf = (array: ArrayBufferView): Bytes => {
  const view = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return { length: view.length, read: () => view };
};

/** Bytes that are made of others when they are asked for, and kept only as long as someone holds them. */
export const derivedBytes = (length: number, make: () => Uint8Array): Bytes => {
  let held: WeakRef<Uint8Array> | undefined;
  return {
    length,
    read: () => {
      const known = held?.deref();
      if (known !== undefined) return known;
      const bytes = make();
      held = new WeakRef(bytes);
      return bytes;
    },
  };
};

/** A tensor over `data` without a copy. */
export const tensorOf = <D extends DType>(dtype: D, dims: readonly number[], data: ArrayOf<D>): Tensor => {
  const expected = byteSize(dtype, dims);
  if (data.byteLength !== expected) {
    throw new RangeError(`a ${dtype} tensor of [${dims.join(', ')}] needs ${expected} bytes, got ${data.byteLength}`);
  }
  return { dtype, dims, bytes: bytesOf(data) };
};

export const newArray = <D extends DType>(dtype: D, length: number): ArrayOf<D> =>
  new arrays[dtype](length) as ArrayOf<D>;

/** The elements as a typed array: a view where the bytes are aligned, a copy where they are not. */
export const arrayOf = <D extends DType>(tensor: Tensor & { readonly dtype: D }): ArrayOf<D> => {
  const bytes = tensor.bytes.read();
  const type = arrays[tensor.dtype];
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new type(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / type.BYTES_PER_ELEMENT,
  ) as ArrayOf<D>;
};

const expectDType = <D extends DType>(tensor: Tensor, dtype: D): Tensor & { readonly dtype: D } => {
  if (tensor.dtype !== dtype) throw new TypeError(`expected a ${dtype} tensor, found ${tensor.dtype}`);
  return tensor as Tensor & { readonly dtype: D };
};

export const float32Of = (tensor: Tensor): Float32Array => arrayOf(expectDType(tensor, 'float32'));

/** The elements of a float32 tensor piece by piece: whoever passes over a large table once needs no more of it at a time. */
export function* floatPiecesOf(tensor: Tensor): Generator<Float32Array, void> {
  const pieces = tensor.bytes.pieces?.() ?? [tensor.bytes.read()];
  for (const piece of pieces) yield float32Of({ ...tensor, bytes: bytesOf(piece) });
}

/**
 * The elements as JavaScript numbers, for small tensors (shapes, axes, scalars) of any integer or float type. 64-bit integers
 * beyond whole numbers (`isWhole`) come as the nearest double: good as a bound ("to the end"), never to compute with.
 */
export const numbersOf = (tensor: Tensor): number[] => {
  switch (tensor.dtype) {
    case 'float16':
    case 'bfloat16':
    case 'int4':
    case 'uint4':
      throw new TypeError(`${tensor.dtype} elements have no direct number form`);
    default:
      return Array.from(arrayOf(tensor), Number);
  }
};

const largestInt64 = 2n ** 63n - 1n;
/** What doubles have for the largest int64, which they cannot hold. */
const AFTER_INT64 = 2 ** 63;

/** Whether a double holds this integer, and no other reads the same: arithmetic with it is exact as long as the result is such. */
export const isWhole = (number: number): boolean => Number.isSafeInteger(number);

/** Whether a double stands for an int64: 2^63 does, for the largest one. */
export const isInt64 = (number: number): boolean => Number.isInteger(number) && Math.abs(number) <= AFTER_INT64;

/** Whether a double is an int32. */
export const isInt32 = (number: number): boolean => (number | 0) === number;

const int64Of = (value: number | bigint): bigint => {
  if (value === AFTER_INT64) return largestInt64;
  const integer = BigInt(value);
  if (BigInt.asIntN(64, integer) !== integer) throw new RangeError(`${value} does not fit an int64`);
  return integer;
};

const int32Of = (value: number | bigint): number => {
  const number = Number(value);
  if (!isInt32(number)) throw new RangeError(`${value} is no int32`);
  return number;
};

export const scalar = (dtype: 'float32' | 'float64' | 'int64' | 'int32', value: number): Tensor =>
  vector(dtype, [value], []);

/** A tensor of these elements. Integers that the type cannot hold are refused: none wraps around. */
export const vector = (
  dtype: 'float32' | 'float64' | 'int64' | 'int32',
  values: readonly (number | bigint)[],
  dims: readonly number[] = [values.length],
): Tensor => {
  switch (dtype) {
    case 'float32':
      return tensorOf(dtype, dims, Float32Array.from(values, Number));
    case 'float64':
      return tensorOf(dtype, dims, Float64Array.from(values, Number));
    case 'int32':
      return tensorOf(dtype, dims, Int32Array.from(values, int32Of));
    case 'int64':
      return tensorOf(dtype, dims, BigInt64Array.from(values, int64Of));
  }
};
