import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readNumbers, readRecord } from './record-files.ts';

/** What a features model made of every text of a split: one vector each. */
export interface Vectors {
  readonly ids: Int32Array;
  readonly width: number;
  /** (texts, width), row-major. */
  readonly values: Float32Array;
}

interface Header {
  readonly schema: 'decant.vectors/1';
  readonly texts: number;
  readonly width: number;
}

/** By this file an artifact with vectors is told from one with predictions of classes. */
export const VECTORS_FILE = 'vectors.json';

const bytes = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Writes vectors.json with ids.i32 and vectors.f32 (little-endian) beside it. */
export const writeVectors = async (folder: string, { ids, width, values }: Vectors): Promise<void> => {
  const header: Header = { schema: 'decant.vectors/1', texts: ids.length, width };
  await writeFile(join(folder, VECTORS_FILE), `${JSON.stringify(header)}\n`);
  await writeFile(join(folder, 'ids.i32'), bytes(ids));
  await writeFile(join(folder, 'vectors.f32'), bytes(values));
};

const headerSchema = z.object({
  schema: z.literal('decant.vectors/1'),
  texts: z.int().nonnegative(),
  width: z.int().nonnegative(),
});

/** Reads what `writeVectors` wrote; `path` maps a file name to where it lies. */
export const readVectors = async (path: (file: string) => string): Promise<Vectors> => {
  const other = 'another version of decant wrote it; run the pipeline again';
  const { texts, width } = await readRecord<Header>(path(VECTORS_FILE), {
    schema: headerSchema,
    version: 'decant.vectors/1',
    other,
  });
  const ids = await readNumbers(path('ids.i32'), Int32Array, texts);
  return { ids, width, values: await readNumbers(path('vectors.f32'), Float32Array, texts * width) };
};

/** Cosine between row `i` of one matrix and row `j` of another; 0 where one of them is zero. */
export const cosineOf = (a: Float32Array, i: number, b: Float32Array, j: number, width: number): number => {
  let [dot, x, y] = [0, 0, 0];
  for (let k = 0; k < width; k++) {
    const [p, q] = [a[i * width + k] as number, b[j * width + k] as number];
    dot += p * q;
    x += p * p;
    y += q * q;
  }
  return x === 0 || y === 0 ? 0 : dot / Math.sqrt(x * y);
};
