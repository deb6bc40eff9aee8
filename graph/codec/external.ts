import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { systemCode } from '../../ground/errors.ts';
import { withScratch } from '../scratch.ts';
import { type Bytes, derivedBytes } from '../tensor.ts';
import { codecError } from './dtypes.ts';

/** One read of more than 2 GiB aborts Node 20. */
const chunk = 1 << 30;

/** Bytes of a piece that is passed on: few calls, little memory. */
const piece = 1 << 22;

/** Fills `bytes` from a place in an open file. */
const fill = (file: number, path: string, offset: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(file, bytes, done, Math.min(chunk, bytes.length - done), offset + done);
    if (count === 0) throw codecError(`${path} ends before byte ${offset + bytes.length}: it was cut short`);
    done += count;
  }
};

const allocated = (path: string, length: number): Uint8Array => {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw codecError(`${path} holds a weight of ${length} bytes, for which there is no memory`, { cause });
  }
};

const readRange = (path: string, offset: number, length: number): Uint8Array => {
  const bytes = allocated(path, length);
  const file = openSync(path, 'r');
  try {
    fill(file, path, offset, bytes);
  } finally {
    closeSync(file);
  }
  return bytes;
};

function* piecesOf(path: string, offset: number, length: number, buffer: Uint8Array): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    for (let done = 0; done < length; done += piece) {
      const bytes = buffer.subarray(0, Math.min(piece, length - done));
      fill(file, path, offset + done, bytes);
      yield bytes;
    }
  } finally {
    closeSync(file);
  }
}

const readPieces = (path: string, offset: number, length: number): Iterable<Uint8Array> =>
  withScratch(Math.min(piece, length), (buffer) => piecesOf(path, offset, length, buffer));

/** A range of a file, read when it is asked for and kept only as long as someone holds it. */
export const fileBytes = (path: string, offset: number, length: number): Bytes => ({
  ...derivedBytes(length, () => readRange(path, offset, length)),
  pieces: () => readPieces(path, offset, length),
});

export interface Location {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** The place of one tensor, as messages call it. */
export interface Region extends Location {
  readonly dtype: string;
  readonly where: string;
}

/** Two tensors may be one (tied weights): the same bytes as the same type. Anything else that overlaps is damage. */
const areTied = (a: Region, b: Region): boolean =>
  a.offset === b.offset && a.length === b.length && a.dtype === b.dtype;

/** Refuses tensors that share some of their bytes. */
export const expectApart = (regions: readonly Region[]): void => {
  const ends = new Map<string, Region>();
  const path = ({ location }: Region): string => normalize(location);
  const sorted = regions
    .filter(({ length }) => length > 0)
    .toSorted((a, b) => path(a).localeCompare(path(b)) || a.offset - b.offset || a.length - b.length);
  for (const region of sorted) {
    const before = ends.get(path(region));
    if (before !== undefined && !areTied(before, region) && region.offset < before.offset + before.length) {
      const bytes = ({ offset, length, dtype }: Region): string => `bytes ${offset} to ${offset + length} as ${dtype}`;
      throw codecError(
        `${region.where} has ${bytes(region)} of '${region.location}', where ${before.where} has ${bytes(before)}: the file is damaged`,
      );
    }
    ends.set(path(region), region);
  }
};

/** What the system says of a path; it refuses some texts as names, loops of links, and folders that are not the reader's. */
const looked = <T>(where: string, location: string, look: () => T): T => {
  try {
    return look();
  } catch (cause) {
    const code = systemCode(cause);
    if (code === '') throw cause;
    throw codecError(`${where} keeps its data in '${location}', which cannot be opened (${code})`, { cause });
  }
};

/** A folder or a pipe would fail obscurely, or never answer. */
const fileSize = (path: string, where: string): number => {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw codecError(`${where} keeps its data in '${path}', which does not exist`);
  if (!stats.isFile()) throw codecError(`${where} keeps its data in '${path}', which is no file`);
  return stats.size;
};

/** A link may lead to any file of the reader's: what it holds would be exported with the model. */
const expectInside = (folder: string, full: string, where: string, location: string): void => {
  const [root, real] = [realpathSync(folder), realpathSync(full)];
  if (real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return;
  throw codecError(
    `${where} keeps its data in '${location}', a link to a file outside the model's folder; copy that file into the folder`,
  );
};

/** The bytes of an external tensor. The path must stay inside the model's folder. */
export const externalBytes = (folder: string | undefined, place: Location, where: string): Bytes => {
  const { location, offset, length } = place;
  const path = normalize(location);
  if (location === '' || isAbsolute(path) || /^[A-Za-z]:/.test(path) || path.split(sep).includes('..')) {
    throw codecError(`${where} keeps its data in '${location}', which is outside the model's folder`);
  }
  if (folder === undefined) {
    throw codecError(`${where} keeps its data in the file '${location}'; read the model with readGraph(path)`);
  }
  const full = join(folder, path);
  const size = looked(where, location, () => fileSize(full, where));
  looked(where, location, () => expectInside(folder, full, where, location));
  if (offset + length > size) {
    throw codecError(`${where} needs bytes ${offset} to ${offset + length} of '${full}', which has ${size}`);
  }
  return fileBytes(full, offset, length);
};
