import type { TensorType } from '../../../graph/graph.ts';
import { type DType, newArray, vector } from '../../../graph/tensor.ts';
import type { HostTensor } from '../../engine.ts';
import { hostTensorOf } from '../../host.ts';
import { uploaded } from './border.ts';
import type { Library, Tensor } from './library.ts';

/** Integers of shape arithmetic: they stay numbers of the host, and no product of theirs is cut to 32 bits. */
export interface Numbers {
  readonly kind: 'numbers';
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly numbers: readonly number[];
}

/** A value of a run. */
export type Held = Numbers | { readonly kind: 'tensor'; readonly dtype: DType; readonly tensor: Tensor };

export const typeOf = (held: Held): TensorType => ({
  dtype: held.dtype,
  shape: held.kind === 'tensor' ? held.tensor.shape : held.dims,
});

/** Numbers in host memory. The largest int64, which says "to the end", is what doubles have for it. */
export const hostOf = ({ dtype, dims, numbers }: Numbers): HostTensor => {
  if (dtype === 'int64' || dtype === 'int32') return hostTensorOf(vector(dtype, numbers, dims));
  const data = newArray(dtype, numbers.length);
  for (const [i, number] of numbers.entries()) (data as Float32Array)[i] = number;
  return { dtype, dims, data };
};

/** The tensor of a value; numbers become one that nobody else holds. */
export const tensorOf = (tf: Library, name: string, held: Held): Tensor =>
  held.kind === 'tensor' ? held.tensor : uploaded(tf, name, hostOf(held));

/** The elements of a value as numbers: what is on the device is waited for. */
export const numbersOf = (held: Held): readonly number[] =>
  held.kind === 'numbers' ? held.numbers : Array.from(held.tensor.dataSync<'int32'>());
