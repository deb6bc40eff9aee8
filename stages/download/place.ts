import { copyFile, link, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The same bytes under another path: a hard link, or a copy where the file system has none. */
export const place = async (from: string, to: string): Promise<void> => {
  await mkdir(dirname(to), { recursive: true });
  await link(from, to).catch(() => copyFile(from, to));
};
