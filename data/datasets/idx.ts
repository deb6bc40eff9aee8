import { dataError } from '../errors.ts';

/** Bytes of an IDX file of unsigned bytes: of how many things of which sizes, and all of them. */
interface Idx {
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTES = 8;
const BYTES_A_SIZE = 4;

/** What LeCun's MNIST is written in: two zeros, the kind of number, how many sizes, the sizes, and the numbers. */
export const readIdx = (bytes: Buffer, file: string): Idx => {
  const [zero, also, kind, rank = 0] = bytes;
  if (zero !== 0 || also !== 0 || kind !== UNSIGNED_BYTES) {
    throw dataError('damaged-package', `${file} is no IDX file of unsigned bytes`);
  }
  const start = BYTES_A_SIZE * (1 + rank);
  if (bytes.length < start) throw dataError('damaged-package', `${file} ends within its head`);
  const dims = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(BYTES_A_SIZE * (1 + i)));
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  const expected = dims.reduce((product, size) => product * size, 1);
  if (data.length === expected) return { dims, data };
  throw dataError('damaged-package', `${file} holds ${data.length} numbers; its head announces ${dims.join(' x ')}`);
};
