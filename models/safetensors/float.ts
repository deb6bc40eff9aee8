import { withScratch } from '../../graph/scratch.ts';
import { type Bytes, bytesOf, elementCount, float32Of, type Tensor } from '../../graph/tensor.ts';
import { importError } from '../importers/importer.ts';
import type { StoredTensor } from './file.ts';

/** Views of the bytes as 16-bit words, copied where they are not aligned. */
const words = (bytes: Uint8Array): Uint16Array => {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
};

const EXPONENT_BIAS_DIFFERENCE = 112;

/** IEEE half precision to the bits of single precision; subnormal halves are normal singles. */
const singleBits = (half: number): number => {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + EXPONENT_BIAS_DIFFERENCE) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21;
  return sign | ((EXPONENT_BIAS_DIFFERENCE + 1 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
};

const widened = (source: Uint8Array, bits: (word: number) => number): Uint8Array => {
  const from = words(source);
  const to = new Int32Array(from.length);
  for (let i = 0; i < from.length; i++) to[i] = bits(from[i] ?? 0);
  return new Uint8Array(to.buffer);
};

/** How each type that decant trains from becomes single precision; bfloat16 is its upper half. */
const conversions: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  F32: (bytes) => bytes,
  F16: (bytes) => widened(bytes, singleBits),
  BF16: (bytes) => widened(bytes, (word) => word << 16),
};

/** Bytes that another type's become; pieces end between two elements. */
const converted = (source: Bytes, length: number, convert: (bytes: Uint8Array) => Uint8Array): Bytes => ({
  length,
  read: () => convert(source.read()),
  *pieces() {
    for (const piece of source.pieces?.() ?? [source.read()]) yield convert(piece);
  },
});

/** A parameter in single precision, converted when it is read and kept by nobody. */
export const floatTensor = (name: string, { file, dtype, dims, bytes }: StoredTensor): Tensor => {
  const convert = conversions[dtype];
  if (convert === undefined) {
    throw importError(
      `${file}: tensor '${name}' has elements of type ${dtype}; decant reads parameters of ${Object.keys(conversions).join(', ')}`,
    );
  }
  const length = 4 * elementCount(dims);
  return { dtype: 'float32', dims, bytes: dtype === 'F32' ? bytes : converted(bytes, length, convert) };
};

/** Side of the blocks that are turned at a time: both sides of a block stay in the first cache. */
const BLOCK = 32;

/** Turns a matrix of `rows` over into `target`. */
const turn = (source: Float32Array, target: Float32Array, rows: number, columns: number): void => {
  for (let top = 0; top < rows; top += BLOCK) {
    for (let left = 0; left < columns; left += BLOCK) {
      const bottom = Math.min(top + BLOCK, rows);
      const right = Math.min(left + BLOCK, columns);
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          target[column * rows + row] = source[row * columns + column] ?? 0;
        }
      }
    }
  }
};

const floatsIn = (buffer: Uint8Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> =>
  new Float32Array(buffer.buffer, 0, length / 4);

/** All of a tensor's bytes at once, in a buffer that is there already. */
const gather = ({ bytes }: Tensor, buffer: Uint8Array<ArrayBuffer>): Float32Array => {
  let at = 0;
  for (const piece of bytes.pieces?.() ?? [bytes.read()]) {
    buffer.set(piece, at);
    at += piece.length;
  }
  return floatsIn(buffer, bytes.length);
};

/** A matrix the other way round, turned when it is read. */
export const transposed = (tensor: Tensor): Tensor => {
  const [rows = 1, columns = 1] = tensor.dims;
  const { length } = tensor.bytes;
  const read = (): Uint8Array => {
    const target = new Float32Array(length / 4);
    turn(float32Of(tensor), target, rows, columns);
    return bytesOf(target).read();
  };
  const pieces = (): Iterable<Uint8Array> =>
    withScratch(length, (source) =>
      withScratch(length, function* (target) {
        turn(gather(tensor, source), floatsIn(target, length), rows, columns);
        yield target.subarray(0, length);
      }),
    );
  return { dtype: 'float32', dims: [columns, rows], bytes: { length, read, pieces } };
};
