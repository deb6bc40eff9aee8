import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lifeOf, ownerIn, ownerName, self } from './owner.ts';

/** What temporary folders are made for. */
const purposes = ['graph', 'profile'] as const;
type Purpose = (typeof purposes)[number];

const prefixOf = (purpose: Purpose): string => `decant-${purpose}-`;

/** A new folder among the system's temporary files. Its name says whose it is: one that is killed cannot remove it. */
export const temporaryFolder = (purpose: Purpose): Promise<string> =>
  mkdtemp(join(tmpdir(), `${prefixOf(purpose)}${ownerName(self)}_`));

/** Nothing takes so long between making such a folder and removing it, wherever its process runs. */
const LONGEST_USE_MS = 24 * 60 * 60 * 1000;

const isAbandoned = async (name: string, path: string): Promise<boolean> => {
  const owner = ownerIn(name);
  const life = owner === undefined ? 'unknown' : lifeOf(owner);
  if (life !== 'unknown') return life === 'gone';
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && found.mtimeMs < Date.now() - LONGEST_USE_MS;
};

/** Folders that processes made and did not live to remove. */
export const abandonedFolders = async (): Promise<readonly string[]> => {
  const names = await readdir(tmpdir()).catch(() => []);
  const abandoned: string[] = [];
  for (const name of names.filter((one) => purposes.some((purpose) => one.startsWith(prefixOf(purpose))))) {
    const path = join(tmpdir(), name);
    if (await isAbandoned(name, path)) abandoned.push(path);
  }
  return abandoned;
};

/** Removes them; those of other users stay. */
export const sweepTemporaryFolders = async (): Promise<void> => {
  for (const path of await abandonedFolders()) await rm(path, { recursive: true, force: true }).catch(() => undefined);
};
