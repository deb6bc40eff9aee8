import { readFileSync, type Stats, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type UserError, userErrors } from './errors.ts';

/** Records of a million texts and vocabularies of a million tokens fit; JavaScript holds no text of more than 512 MiB. */
const LARGEST_TEXT = 128 * 1024 * 1024;

interface Expected {
  readonly most?: number;
  /** What the file is called where its whole path would say too much. */
  readonly called?: string;
  readonly refuse?: (message: string) => UserError;
}

const otherKinds = [
  ['a folder', (found: Stats) => found.isDirectory()],
  ['a pipe', (found: Stats) => found.isFIFO()],
  ['a socket', (found: Stats) => found.isSocket()],
] as const;

/** What stands where a file should: whoever opened it might wait for ever. Undefined for a file. */
export const otherThanFile = (found: Stats): string | undefined =>
  found.isFile() ? undefined : (otherKinds.find(([, is]) => is(found))?.[0] ?? 'a device');

/** Whether a file is there. */
export const isFile = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** Whether a folder is there. */
export const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** The size of a file within a bound. Throws where it is none or too long; one that is missing fails as it does for the system. */
export const fileSize = (path: string, expected: Expected = {}): number => {
  const { most = Number.POSITIVE_INFINITY, called = path, refuse = userErrors('wrong-file') } = expected;
  const found = statSync(path);
  const other = otherThanFile(found);
  if (other !== undefined) throw refuse(`${called} is ${other}; expected a file`);
  if (found.size > most) throw refuse(`${called} has ${found.size} bytes; decant reads at most ${most} of such a file`);
  return found.size;
};

/** A file that is read as a whole, once it is known to be one that fits. */
export const readBytes = async (path: string, expected: Expected = {}): Promise<Buffer> => {
  fileSize(path, { most: LARGEST_TEXT, ...expected });
  return await readFile(path);
};

/** A text that is read as a whole, once it is known to be a file that fits. */
export const readText = async (path: string, expected: Expected = {}): Promise<string> =>
  (await readBytes(path, expected)).toString('utf8');

/** The same at once. */
export const readTextNow = (path: string, expected: Expected = {}): string => {
  fileSize(path, { most: LARGEST_TEXT, ...expected });
  return readFileSync(path, 'utf8');
};
