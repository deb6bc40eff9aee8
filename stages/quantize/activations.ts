import type { Encoded } from '../../engine/encoded.ts';
import { gathered, type Seen, type Watching } from '../../engine/observe/index.ts';
import type { Value } from '../../graph/graph.ts';

/** What a value was on texts. */
export interface Activation {
  readonly width: number;
  /** Largest magnitude of each number of a row, over all texts. */
  readonly peaks: Float32Array;
  /** Rows of some texts, by text. */
  readonly texts: readonly Seen[];
}

/** Rows that are kept of every value, spread over all texts. */
const KEPT_ROWS = 4096;

/** Raises peaks to the largest magnitude of each number of rows as long as they are. */
export const raise = (peaks: Float32Array, data: Float32Array): void => {
  const width = peaks.length;
  for (let i = 0; i < data.length; i++) {
    const magnitude = Math.abs(data[i] as number);
    if (magnitude > (peaks[i % width] as number)) peaks[i % width] = magnitude;
  }
};

/** Every so many texts one is kept, so that rows of all of them together are about as many as are wanted. */
const strideFor = (examples: readonly Encoded[]): number => {
  const rows = examples.reduce((sum, { length }) => sum + length, 0);
  return Math.max(1, Math.ceil(rows / KEPT_ROWS));
};

/** Bytes that are kept of a value. */
export const keptBytes = ({ width }: { readonly width: number }): number =>
  Float32Array.BYTES_PER_ELEMENT * KEPT_ROWS * width;

/** Peaks of values over all texts, and their rows on some: rows for searching, peaks for what is rare. */
export const activationsOf = async (
  watching: Watching,
  values: readonly Value[],
  examples: readonly Encoded[],
  onText: (done: number, total: number) => void,
): Promise<ReadonlyMap<Value, Activation>> => {
  const stride = strideFor(examples);
  return await gathered(watching, values, examples, {
    begin: ({ width }): Activation & { readonly texts: Seen[] } => ({
      width,
      peaks: new Float32Array(width),
      texts: [],
    }),
    add: (known, own, { text }) => {
      raise(known.peaks, own.data);
      if (text % stride === 0) known.texts.push(own);
    },
    onText,
  });
};
