import { modelError } from '../../ground/errors.ts';
import { bytesOf, dtypeBits, elementCount, type Tensor } from '../tensor.ts';

type Words = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;

const wordTypes = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array } as const;

/** Elements as unsigned words of their own size: slicing moves bits and reads no numbers. */
const wordsOf = (tensor: Tensor): Words => {
  const bits = dtypeBits[tensor.dtype];
  if (bits === 4) throw modelError(`${tensor.dtype} elements are packed in pairs and cannot be sliced`);
  const type = wordTypes[bits];
  const bytes = tensor.bytes.read();
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new type(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / type.BYTES_PER_ELEMENT);
};

/** Positions in the source of everything along the axes from `axis` on, as offsets from the block's start. */
const innerOffsets = (dims: readonly number[], kept: readonly (Int32Array | undefined)[], axis: number): Int32Array => {
  let offsets = Int32Array.of(0);
  let stride = 1;
  for (let at = dims.length - 1; at >= axis; at--) {
    const length = dims[at] ?? 1;
    const indices = kept[at] ?? Int32Array.from({ length }, (_, i) => i);
    const next = new Int32Array(indices.length * offsets.length);
    let write = 0;
    for (const index of indices) for (const offset of offsets) next[write++] = index * stride + offset;
    offsets = next;
    stride *= length;
  }
  return offsets;
};

/** The tensor with only the kept indices of each axis (undefined keeps the whole axis), in one copy. */
export const sliceTensor = (tensor: Tensor, kept: readonly (Int32Array | undefined)[]): Tensor => {
  const { dims } = tensor;
  const size = dims.map((length, axis) => kept[axis]?.length ?? length);
  const source = wordsOf(tensor);
  const target = new (source.constructor as { new (length: number): Words })(elementCount(size));
  // The outer axes give block starts, the last one the offsets inside a block: two short lists instead of one long one.
  const last = Math.max(dims.length - 1, 0);
  const inner = innerOffsets(dims, kept, last);
  const width = dims[last] ?? 1;
  const outer = innerOffsets(dims.slice(0, last), kept, 0);
  copyBlocks(source, target, outer, inner, width);
  return { dtype: tensor.dtype, dims: size, bytes: bytesOf(target) };
};

const copyBlocks = (source: Words, target: Words, outer: Int32Array, inner: Int32Array, width: number): void => {
  let write = 0;
  for (const block of outer) {
    const start = block * width;
    for (let i = 0; i < inner.length; i++) target[write++] = source[start + (inner[i] as number)] as never;
  }
};
