import { arrayOf, type DType, derivedBytes, elementCount, type Tensor } from '../tensor.ts';

/** Numbers in few bits, with what makes floats of them: (x - zero point) step. */
export interface Encoded {
  readonly integers: Tensor;
  readonly steps: Tensor;
  readonly zeros: Tensor | undefined;
  /** What stands for zero where no tensor says. */
  readonly zero: number;
  readonly axis: number;
  /** Indices along the axis that share a step; 0 where all of one index do. */
  readonly block: number;
  /** Whether a byte of the last axis holds two numbers, row by row. */
  readonly packed: boolean;
}

const fewBits: ReadonlySet<DType | undefined> = new Set<DType>(['int8', 'uint8', 'int4', 'uint4']);

export const isFewBits = (dtype: DType | undefined): boolean => fewBits.has(dtype);

/** Dimensions of the numbers, where those of the tensor count bytes. */
const dimsOf = ({ integers: { dims }, packed }: Encoded): readonly number[] =>
  packed ? dims.with(-1, 2 * (dims.at(-1) ?? 1)) : dims;

/** How many steps there are along the axis. */
const blocksOf = (encoded: Encoded): number => Math.ceil((dimsOf(encoded)[encoded.axis] ?? 1) / encoded.block);

/** Which step belongs to an element; undefined where sizes do not fit. */
const stepOf = (encoded: Encoded): ((at: number) => number) | undefined => {
  const { steps, axis, block } = encoded;
  const dims = dimsOf(encoded);
  const size = dims[axis] ?? 1;
  const count = elementCount(steps.dims);
  const behind = elementCount(dims.slice(axis + 1));
  if (count === 1) return () => 0;
  if (!(axis >= 0 && axis < dims.length)) return undefined;
  if (block === 0) return count === size ? (at) => Math.floor(at / behind) % size : undefined;
  const blocks = blocksOf(encoded);
  if (count !== elementCount(dims.with(axis, blocks))) return undefined;
  return (at) => {
    const along = Math.floor(at / behind) % size;
    return (Math.floor(at / (behind * size)) * blocks + Math.floor(along / block)) * behind + (at % behind);
  };
};

/** Rows of so many numbers, two in a byte, the lower half first; the last byte of a row may be half full. */
const unpackedRows = (from: Uint8Array, row: number): Uint8Array => {
  const bytes = Math.ceil(row / 2);
  const to = new Uint8Array(Math.floor(from.length / Math.max(1, bytes)) * row);
  for (let i = 0; i < to.length; i++) {
    const along = i % row;
    to[i] = ((from[Math.floor(i / row) * bytes + (along >> 1)] ?? 0) >> (4 * (along & 1))) & 15;
  }
  return to;
};

const signed = (nibbles: Uint8Array): Int8Array => Int8Array.from(nibbles, (x) => (x << 28) >> 28);

/** The integers one by one; `row` is the length of the last axis where a byte of it holds two. */
const numbersIn = (tensor: Tensor, row: number | undefined): Int8Array | Uint8Array => {
  const { dtype, dims } = tensor;
  switch (dtype) {
    case 'int8':
      return arrayOf({ ...tensor, dtype });
    case 'int4':
      return signed(unpackedRows(arrayOf({ ...tensor, dtype }), elementCount(dims)));
    case 'uint4':
      return unpackedRows(arrayOf({ ...tensor, dtype }), elementCount(dims));
    default: {
      const bytes = arrayOf({ ...tensor, dtype: 'uint8' });
      return row === undefined ? bytes : unpackedRows(bytes, row);
    }
  }
};

/** Whether sizes and types fit together, so that it can be decoded. */
export const isWhole = (encoded: Encoded): boolean => {
  const { integers, steps, zeros, packed, axis } = encoded;
  if (!isFewBits(integers.dtype) || steps.dtype !== 'float32') return false;
  if (packed && (axis !== integers.dims.length - 1 || axis < 0)) return false;
  if (stepOf(encoded) === undefined) return false;
  if (zeros === undefined) return true;
  const row = blocksOf(encoded);
  const bytes = Math.ceil(row / 2) * (elementCount(steps.dims) / row);
  return zeros.dtype === integers.dtype && elementCount(zeros.dims) === (packed ? bytes : elementCount(steps.dims));
};

/** (x - zero point) step, as the runtime computes it: one rounding. */
export const decoded = (encoded: Encoded): Tensor => {
  const dims = dimsOf(encoded);
  const count = elementCount(dims);
  const make = (): Uint8Array => {
    const { integers, zero, packed } = encoded;
    const step = stepOf(encoded) ?? (() => 0);
    const from = numbersIn(integers, packed ? dims.at(-1) : undefined);
    const steps = arrayOf({ ...encoded.steps, dtype: 'float32' });
    const zeros = encoded.zeros && numbersIn(encoded.zeros, packed ? blocksOf(encoded) : undefined);
    const to = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const at = step(i);
      to[i] = ((from[i] ?? 0) - (zeros === undefined ? zero : (zeros[at] ?? 0))) * (steps[at] ?? 0);
    }
    return new Uint8Array(to.buffer);
  };
  return { dtype: 'float32', dims, bytes: derivedBytes(4 * count, make) };
};
