import { arrayOf, type Tensor } from '../graph/tensor.ts';
import type { HostTensor } from './engine.ts';

/** A weight as it is fed to a program, over the same memory. */
export const hostTensorOf = (tensor: Tensor): HostTensor => ({
  dtype: tensor.dtype,
  dims: tensor.dims,
  data: arrayOf(tensor),
});
