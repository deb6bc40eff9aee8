import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { asSingles, isHalf } from '../../graph/halves.ts';
import { bytesOf, float32Of, type Tensor } from '../../graph/tensor.ts';

const wide = (fed: HostTensor): HostTensor => {
  const { dtype, dims, data } = fed;
  const tensor: Tensor = { dtype, dims, bytes: bytesOf(data) };
  return isHalf(tensor) ? { dtype: 'float32', dims, data: float32Of(asSingles(tensor)) } : fed;
};

/** What a file is fed or answers in 16 bits, as its normal form takes and gives it. */
export const asFloats = (feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, wide(fed)]));
