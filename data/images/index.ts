import { readBytes } from '../../ground/whole-file.ts';
import type { Pixels } from '../dataset.ts';
import { imageErrors } from './errors.ts';

/** Whether a file is an image that can be read, by its name. */
export const isImage = (path: string): boolean => /\.(?:png|jpe?g)$/i.test(path);

/** The samples of an image; `at` is what messages call it. Decoders load with the first. */
export const readImage = async (path: string, at: string): Promise<Pixels> => {
  const bytes = await readBytes(path);
  const { isPng, readPng } = await import('./png.ts');
  if (isPng(bytes)) return readPng(bytes, at);
  const { isJpeg, readJpeg } = await import('./jpeg.ts');
  if (isJpeg(bytes)) return readJpeg(bytes, at);
  throw imageErrors.foreign(at);
};
