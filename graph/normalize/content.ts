import { elementCount, float32Of, floatPiecesOf, type Tensor } from '../tensor.ts';

/** What is known of the numbers of a float32 tensor after one look at them, in whatever order they are. */
export interface Content {
  /** Equal for tensors of the same numbers; others may have the same key by chance. */
  readonly key: string;
  /** Whether all numbers are the same one, as new biases and norms are. */
  readonly uniform: boolean;
}

const MIX = 0x2c1b3c6d;

const looked = (tensor: Tensor): Content => {
  let [sum, parity] = [0, 0];
  let first: number | undefined;
  let uniform = true;
  for (const piece of floatPiecesOf(tensor)) {
    const words = new Uint32Array(piece.buffer, piece.byteOffset, piece.length);
    first ??= words[0];
    for (const word of words) {
      if (word !== first) uniform = false;
      const mixed = Math.imul(word ^ (word >>> 15), MIX);
      sum = (sum + mixed) | 0;
      parity ^= mixed ^ (mixed >>> 13);
    }
  }
  return { key: `${sum}.${parity}`, uniform };
};

const contents = new WeakMap<Tensor, Content>();

/** One look at a tensor, kept as long as the tensor: a large one is read piece by piece. */
export const contentOf = (tensor: Tensor): Content => {
  let content = contents.get(tensor);
  if (content === undefined) {
    content = looked(tensor);
    contents.set(tensor, content);
  }
  return content;
};

const wordsOf = (tensor: Tensor): Uint32Array => {
  const floats = float32Of(tensor);
  return new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
};

/** Whether two tensors hold the same bits in the same places. */
export const isSame = (a: Tensor, b: Tensor): boolean => {
  if (a === b || a.bytes === b.bytes) return a.dims.join() === b.dims.join();
  if (a.dims.join() !== b.dims.join() || contentOf(a).key !== contentOf(b).key) return false;
  const [left, right] = [wordsOf(a), wordsOf(b)];
  return left.every((word, i) => word === right[i]);
};

/** Whether two matrices hold the same bits, one turned over. */
export const isTurned = (a: Tensor, b: Tensor): boolean => {
  const [rows = 0, columns = 0] = a.dims;
  if (b.dims[0] !== columns || b.dims[1] !== rows || contentOf(a).key !== contentOf(b).key) return false;
  const [left, right] = [wordsOf(a), wordsOf(b)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (left[row * columns + column] !== right[column * rows + row]) return false;
    }
  }
  return elementCount(a.dims) > 0;
};
