import { open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Example, Pixels } from './dataset.ts';
import { damagedRecord } from './record-files.ts';

/** The size that all images of a dataset have. */
export type PixelShape = Omit<Pixels, 'data'>;

const size = z.int().positive();

export const pixelShape = z.object({ height: size, width: size, channels: size });

/** Images of a split, one after the other. */
export interface ImageFile {
  readonly file: string;
  readonly shape: PixelShape;
}

/** The file beside the lines of a split that holds the samples of its images. */
export const pixelFile = (split: string): string => `${split}.pixels`;

/** The size of all images; undefined where there are none. */
export const shapeOfImages = (examples: readonly Example[]): PixelShape | undefined => {
  const [first] = examples;
  if (first?.pixels === undefined) return undefined;
  const { height, width, channels } = first.pixels;
  const other = examples.find(
    ({ pixels }) => pixels?.height !== height || pixels.width !== width || pixels.channels !== channels,
  );
  if (other !== undefined) throw new Error(`'${other.text}' is no image of the size of '${first.text}'`);
  return { height, width, channels };
};

export const writeImages = async (file: string, examples: readonly Example[]): Promise<void> => {
  const handle = await open(file, 'w');
  try {
    for (const { pixels } of examples) if (pixels !== undefined) await handle.writeFile(pixels.data);
  } finally {
    await handle.close();
  }
};

/** The images of a split by their place; fewer or more than were announced are an error. */
export const readImages = async ({ file, shape }: ImageFile, expected: number): Promise<(place: number) => Pixels> => {
  const bytes = await readFile(file);
  const each = shape.height * shape.width * shape.channels;
  if (bytes.length !== each * expected)
    throw damagedRecord(file, `it holds ${bytes.length} bytes; expected ${each} for each of ${expected} images`);
  return (place) => ({ ...shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + place * each, each) });
};
