import { type Bytes, elementCount, type Tensor } from './tensor.ts';

/** Element types of 16 bits. */
export type Half = 'float16' | 'bfloat16';

export const isHalf = (tensor: Tensor): tensor is Tensor & { readonly dtype: Half } =>
  tensor.dtype === 'float16' || tensor.dtype === 'bfloat16';

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

/** How each becomes the bits of single precision; bfloat16 is its upper half. */
const bitsOf: Readonly<Record<Half, (word: number) => number>> = {
  float16: singleBits,
  bfloat16: (word) => word << 16,
};

const widened = (source: Uint8Array, bits: (word: number) => number): Uint8Array => {
  const from = words(source);
  const to = new Int32Array(from.length);
  for (let i = 0; i < from.length; i++) to[i] = bits(from[i] ?? 0);
  return new Uint8Array(to.buffer);
};

/** Bytes that another type's become; pieces end between two elements. */
const converted = (source: Bytes, length: number, convert: (bytes: Uint8Array) => Uint8Array): Bytes => ({
  length,
  read: () => convert(source.read()),
  *pieces() {
    for (const piece of source.pieces?.() ?? [source.read()]) yield convert(piece);
  },
});

/** The same numbers in single precision, none of which is rounded: converted when they are read, and kept by nobody. */
export const asSingles = (tensor: Tensor & { readonly dtype: Half }, count = elementCount(tensor.dims)): Tensor => ({
  dtype: 'float32',
  dims: tensor.dims,
  bytes: converted(tensor.bytes, 4 * count, (bytes) => widened(bytes, bitsOf[tensor.dtype])),
});

const ROUNDED_BITS = 13;

/** Single precision to the nearest half, to the even one of two; beyond its range it is infinite. */
const halfBits = (single: number): number => {
  const sign = (single >>> 16) & 0x8000;
  const exponent = (single >>> 23) & 0xff;
  const fraction = single & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const shift = Math.max(0, EXPONENT_BIAS_DIFFERENCE + 1 - exponent) + ROUNDED_BITS;
  if (shift > 24) return sign;
  const isNormal = exponent > EXPONENT_BIAS_DIFFERENCE;
  const whole = isNormal ? ((exponent - EXPONENT_BIAS_DIFFERENCE) << 23) | fraction : 0x800000 | fraction;
  const rounded = whole >>> shift;
  const rest = whole & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  const up = rest > middle || (rest === middle && (rounded & 1) === 1) ? 1 : 0;
  return sign | Math.min(0x7c00, rounded + up);
};

const QUIET_NAN = 0x7fc0;

/** Single precision to its nearest upper half, to the even one of two. */
const upperBits = (single: number): number => {
  if ((single & 0x7fffffff) > 0x7f800000) return ((single >>> 16) & 0x8000) | QUIET_NAN;
  return ((single >>> 0) + 0x7fff + ((single >>> 16) & 1)) >>> 16;
};

/** How the bits of single precision become those of each, rounded to the nearest. */
const wordOf: Readonly<Record<Half, (single: number) => number>> = {
  float16: halfBits,
  bfloat16: upperBits,
};

const narrowed = (source: Uint8Array): Uint8Array => {
  const aligned = source.byteOffset % 4 === 0 ? source : source.slice();
  const from = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
  const to = new Uint16Array(from.length);
  for (let i = 0; i < from.length; i++) to[i] = halfBits(from[i] ?? 0);
  return new Uint8Array(to.buffer);
};

/** The numbers of a float32 tensor in float16, each rounded to the nearest when it is read. */
export const asHalves = ({ dims, bytes }: Tensor): Tensor & { readonly dtype: Half } => ({
  dtype: 'float16',
  dims,
  bytes: converted(bytes, bytes.length / 2, narrowed),
});

/** The word of 16 bits for a number, rounded to the nearest. */
export const halfWord = (number: number, dtype: Half): number =>
  wordOf[dtype](new Int32Array(Float32Array.of(number).buffer)[0] ?? 0);
