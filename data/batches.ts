import { permutation, type Stream } from './random.ts';

/** Positions of examples that run together, and the length that the longest of them needs. */
export interface Batch {
  readonly rows: Int32Array;
  readonly length: number;
}

/** Batches whose texts are sorted together: large enough for equal lengths, small enough that company changes. */
const CHUNK_BATCHES = 128;

/** Examples in random order within equal lengths, sorted by length within shuffled chunks. */
const sortedChunks = (lengths: ArrayLike<number>, chunk: number, random: Stream): Int32Array => {
  const order = permutation(lengths.length, random);
  for (let start = 0; start < order.length; start += chunk) {
    order.subarray(start, start + chunk).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0));
  }
  return order;
};

const batchOf = (rows: Int32Array, lengths: ArrayLike<number>): Batch => ({
  rows,
  length: rows.reduce((longest, row) => Math.max(longest, lengths[row] ?? 0), 1),
});

/**
 * Every example once, in batches of similar length and random order: shuffled, sorted by length within chunks, cut, and
 * the batches shuffled. Examples of a batch change from stream to stream, its padding stays near zero.
 */
export const shuffledBatches = (lengths: ArrayLike<number>, size: number, random: Stream): readonly Batch[] => {
  const order = sortedChunks(lengths, size * CHUNK_BATCHES, random);
  const batches: Batch[] = [];
  for (let start = 0; start < order.length; start += size) {
    batches.push(batchOf(order.subarray(start, start + size), lengths));
  }
  return Array.from(permutation(batches.length, random), (i) => batches[i]).filter((batch) => batch !== undefined);
};

/** A batch in pieces of at most `size` texts, each as long as the whole: what is drawn a position does not depend on the cuts. */
export const splitBatch = ({ rows, length }: Batch, size: number): readonly Batch[] =>
  Array.from({ length: Math.ceil(rows.length / size) }, (_, piece) => ({
    rows: rows.subarray(piece * size, (piece + 1) * size),
    length,
  }));

/** Every example once, longest first, in batches of at most `size` texts, or what a length allows: for inference. */
export const lengthBatches = (
  lengths: ArrayLike<number>,
  size: number | ((length: number) => number),
): readonly Batch[] => {
  const order = Int32Array.from({ length: lengths.length }, (_, i) => i);
  order.sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b);
  const batches: Batch[] = [];
  for (let start = 0, end = 0; start < order.length; start = end) {
    end = start + (typeof size === 'number' ? size : size(lengths[order[start] ?? 0] ?? 1));
    batches.push(batchOf(order.subarray(start, end), lengths));
  }
  return batches;
};

/** Share of positions of these batches that hold padding. */
export const paddingFraction = (batches: readonly Batch[], lengths: ArrayLike<number>): number => {
  let all = 0;
  let kept = 0;
  for (const { rows, length } of batches) {
    all += rows.length * length;
    for (const row of rows) kept += lengths[row] ?? 0;
  }
  return all === 0 ? 0 : 1 - kept / all;
};
