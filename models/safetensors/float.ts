import { asSingles } from '../../graph/halves.ts';
import { withScratch } from '../../graph/scratch.ts';
import { bytesOf, elementCount, float32Of, type Tensor } from '../../graph/tensor.ts';
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
