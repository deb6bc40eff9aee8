import { asSingles } from '../../graph/halves.ts';
import { elementCount, type Tensor } from '../../graph/tensor.ts';
import { importError } from '../importers/importer.ts';
import type { StoredTensor } from './file.ts';

/** How safetensors call the types that decant trains from. */
const types = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** A parameter in single precision, converted when it is read and kept by nobody. */
export const floatTensor = (name: string, { file, dtype, dims, bytes }: StoredTensor): Tensor => {
  const found = Object.entries(types).find(([type]) => type === dtype)?.[1];
  if (found === undefined) {
    throw importError(
      `${file}: tensor '${name}' has elements of type ${dtype}; decant reads parameters of ${Object.keys(types).join(', ')}`,
    );
  }
  return found === 'float32'
    ? { dtype: found, dims, bytes }
    : asSingles({ dtype: found, dims, bytes }, elementCount(dims));
};
