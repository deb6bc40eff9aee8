import { lstat, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lifeOf, type Owner, ownerIn, ownerName, self } from '../../ground/owner.ts';

const ENDING = '.tmp';

let count = 0;

/** A name beside a file for what is to take its place. It says whose it is: one that is killed cannot remove it. */
export const temporaryFor = (path: string): string => `${path}.${ownerName(self)}.${++count}${ENDING}`;

/** Fills a temporary file and puts it in a file's place, which is never half new; a link to a file stays one. */
export const replaceFile = async (path: string, fill: (temporary: string) => Promise<void>): Promise<void> => {
  const target = await realpath(path).catch(() => path);
  const temporary = temporaryFor(target);
  try {
    await fill(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};

/** Writes a whole file; `lasting` ones are on the disk when this returns. */
export const writeWhole = (path: string, text: string, lasting = true): Promise<void> =>
  replaceFile(path, async (temporary) => {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(text);
      if (lasting) await file.sync();
    } finally {
      await file.close();
    }
  });

/** A process elsewhere gives no sign of life; nothing takes so long between writing such a file and renaming it. */
const LONGEST_USE_MS = 24 * 60 * 60 * 1000;

/** Names that earlier versions gave: the process alone, or (of records) a number that says nothing. */
const earlier = /^\.probe-(\d+)(?:\.\d+)?$|\.(\d+)\.tmp$|^[0-9a-f]{64}\.(?:json|holder)\.\d+$/;

const earlierOwner = (name: string): Owner | undefined => {
  const [, probe, file = probe] = earlier.exec(name) ?? [];
  return file === undefined ? undefined : { process: Number(file), started: 0, place: self.place };
};

/** Whether the process that a name tells of is gone; one that cannot be asked is, after a day without a change. */
export const isAbandoned = async (path: string, owner: Owner | undefined): Promise<boolean> => {
  const life = owner === undefined ? 'unknown' : lifeOf(owner);
  if (life !== 'unknown') return life === 'gone';
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && found.mtimeMs < Date.now() - LONGEST_USE_MS;
};

const isTemporary = (name: string): boolean =>
  (name.endsWith(ENDING) && ownerIn(name) !== undefined) || earlier.test(name);

/** Whether a name is one that temporaryFor gives, and no earlier version's, which could be anybody's. */
const isNamedByOwner = (name: string): boolean => /\.pid\d+-\d+-[0-9a-f]{8}\.\d+\.tmp$/.test(name);

/** Folders right in one that belongs to others, which temporaryFor named and whose process is gone. */
export const abandonedFoldersIn = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const abandoned: string[] = [];
  for (const { name } of entries.filter((entry) => entry.isDirectory() && isNamedByOwner(entry.name))) {
    const path = join(folder, name);
    if (await isAbandoned(path, ownerIn(name))) abandoned.push(path);
  }
  return abandoned;
};

/** Temporary files and folders right in a folder whose process is gone. */
export const abandonedIn = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch(() => []);
  const abandoned: string[] = [];
  for (const name of names.filter(isTemporary)) {
    const path = join(folder, name);
    if (await isAbandoned(path, ownerIn(name) ?? earlierOwner(name))) abandoned.push(path);
  }
  return abandoned;
};
