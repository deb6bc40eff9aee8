import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { stageError } from '../../ground/errors.ts';
import type { HubFile } from './listing.ts';

const PIECE = 1024 * 1024;

/** Where a file is while it arrives. Named by its hash: another revision's file of the same name is another file. */
export interface Places {
  readonly whole: string;
  readonly part: string;
  /** The version of the part that the server named: only that one may be continued. */
  readonly etag: string;
}

export const placesOf = (folder: string, { hash }: HubFile): Places => {
  const whole = join(folder, hash.value);
  return { whole, part: `${whole}.part`, etag: `${whole}.etag` };
};

/** Bytes of a file; 0 where there is none. */
export const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** Drops what has arrived. */
export const dropPart = async ({ part, etag }: Places): Promise<void> => {
  await rm(part, { force: true });
  await rm(etag, { force: true });
};

/** The hash of a file as the hub computes it: sha256 of large files, git's own of small ones. */
const hashOf = async (path: string, { size, hash: { algorithm } }: HubFile): Promise<string> => {
  const hash = algorithm === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
  for await (const piece of createReadStream(path, { highWaterMark: PIECE })) hash.update(piece);
  return hash.digest('hex');
};

/** Whether the whole file is there already, byte by byte; a damaged one is dropped. */
export const isWhole = async (file: HubFile, { whole }: Places): Promise<boolean> => {
  const found = await hashOf(whole, file).catch(() => undefined);
  if (found !== file.hash.value) await rm(whole, { force: true });
  return found === file.hash.value;
};

/** Takes a file whose last byte has arrived for whole, if its hash is the hub's; deletes it otherwise. */
export const accept = async (file: HubFile, places: Places): Promise<void> => {
  const { algorithm, value } = file.hash;
  const found = await hashOf(places.part, file);
  if (found === value) {
    await rename(places.part, places.whole);
    await rm(places.etag, { force: true });
    return;
  }
  await dropPart(places);
  throw stageError(
    `${file.path} arrived with other bytes than the hub names (${algorithm} ${found}, expected ${value}); it was ` +
      'deleted. Run the same command again; if this repeats, the hub or a proxy on the way changes files',
  );
};
