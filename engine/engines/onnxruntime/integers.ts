import type { HostTensor } from '../../engine.ts';

/** An int64 as two words: a number of 32 bits where the upper one only repeats its sign. */
const repeatsSign = (low: number, high: number): boolean => high === low >> 31;

/** The same integers in 32 bits. BigInt would be slow: what is fed is read as words. */
export const narrowed = (name: string, tensor: HostTensor): HostTensor => {
  const { dtype, dims, data } = tensor;
  if (dtype !== 'int64') return tensor;
  const words = new Int32Array(data.buffer, data.byteOffset, 2 * data.length);
  const narrow = new Int32Array(data.length);
  for (let i = 0; i < narrow.length; i++) {
    const [low, high] = [words[2 * i] as number, words[2 * i + 1] as number];
    if (!repeatsSign(low, high))
      throw new RangeError(`'${name}' holds ${data[i]}, and the device computes with 32-bit integers`);
    narrow[i] = low;
  }
  return { dtype: 'int32', dims, data: narrow };
};

/** The same integers in 64 bits. */
export const widened = ({ dims, data }: HostTensor): HostTensor => {
  const wide = new BigInt64Array(data.length);
  const words = new Int32Array(wide.buffer);
  for (let i = 0; i < data.length; i++) {
    const number = data[i] as number;
    words[2 * i] = number;
    words[2 * i + 1] = number >> 31;
  }
  return { dtype: 'int64', dims, data: wide };
};
