import type { HostTensor } from '../engine.ts';

/**
 * The low halves of 64-bit integers. One that needs its high half, which does not only repeat the sign of the low one, is told as
 * `refused` words it. BigInt would be slow: what is fed is read as words.
 */
export const lowHalves = (data: BigInt64Array, refused: (index: number) => Error): Int32Array<ArrayBuffer> => {
  const words = new Int32Array(data.buffer, data.byteOffset, 2 * data.length);
  const low = new Int32Array(data.length);
  for (let i = 0; i < low.length; i++) {
    const word = words[2 * i] as number;
    if (words[2 * i + 1] !== word >> 31) throw refused(i);
    low[i] = word;
  }
  return low;
};

/** The same integers in 32 bits. */
export const narrowed = (name: string, tensor: HostTensor): HostTensor => {
  const { dims, data } = tensor;
  if (!(data instanceof BigInt64Array)) return tensor;
  const refused = (i: number): Error =>
    new RangeError(`'${name}' holds ${data[i]}, and the device computes with 32-bit integers`);
  return { dtype: 'int32', dims, data: lowHalves(data, refused) };
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
