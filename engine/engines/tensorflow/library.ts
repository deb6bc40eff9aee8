import type * as tfjs from '@tensorflow/tfjs-core';
import type { DType } from '../../../graph/tensor.ts';

/** What every package of TensorFlow.js has, whatever computes below it. */
export type Library = typeof tfjs;
export type Tensor = tfjs.Tensor;
export type Tensor1D = tfjs.Tensor1D;

/** The types that tensors of the library have. */
type Stored = 'float32' | 'int32' | 'bool';

/** The library knows one type of integers: what fits 32 bits lives there, int64 as far as its numbers do. */
const stores: Readonly<Partial<Record<DType, Stored>>> = {
  float32: 'float32',
  int8: 'int32',
  int16: 'int32',
  int32: 'int32',
  int64: 'int32',
  uint8: 'int32',
  uint16: 'int32',
  bool: 'bool',
};

/** How elements of a type lie in the library; undefined where it has nothing that holds them. */
export const storedAs = (dtype: DType): Stored | undefined => stores[dtype];
