import { withScratch } from './scratch.ts';
import { bytesOf, float32Of, type Tensor } from './tensor.ts';

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
