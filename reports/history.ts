import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../ground/errors.ts';
import { readText } from '../ground/whole-file.ts';
import { isSeedFolder } from './seed-folder.ts';
import { readWritten } from './written.ts';

/** Folder of a run's folder in which older reports lie, each a run's folder of its own that is called by its number. */
export const HISTORY = 'history';

/** One of the reports of a run's folder. */
export interface Entry {
  readonly number: number;
  readonly folder: string;
  /** It is the one that lies in the run's folder itself. */
  readonly shown: boolean;
  /** When its run ended, ISO 8601; empty where it cannot be read. */
  readonly created: string;
}

const createdSchema = z.object({ created: z.string() });

const createdIn = async (folder: string): Promise<string> => {
  try {
    return createdSchema.parse(JSON.parse(await readText(join(folder, 'report.json')))).created;
  } catch {
    return '';
  }
};

/** Numbers of the reports that lie in the history of a run's folder. */
export const numbersIn = async (folder: string): Promise<readonly number[]> => {
  const names = await readdir(join(folder, HISTORY)).catch(() => []);
  return names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
};

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Number of the report that lies in a run's folder itself; null where there is none. */
export const shownNumber = async (folder: string): Promise<number | null> => {
  const written = await readWritten(folder).catch(() => null);
  if (written !== null) return written.number;
  return (await exists(join(folder, 'report.json'))) || (await exists(join(folder, 'records', 'run.json'))) ? 1 : null;
};

/** Every report of a run's folder, the newest first. */
export const entriesIn = async (folder: string): Promise<readonly Entry[]> => {
  const shown = await shownNumber(folder);
  const older = (await numbersIn(folder)).filter((number) => number !== shown);
  const entry = async (number: number, path: string): Promise<Entry> => ({
    ...{ number, folder: path, shown: number === shown },
    created: await createdIn(path),
  });
  const entries = await Promise.all([
    ...(shown === null ? [] : [entry(shown, folder)]),
    ...older.map((number) => entry(number, join(folder, HISTORY, `${number}`))),
  ]);
  return entries.toSorted((a, b) => b.number - a.number);
};

/** Every report of a folder, which may be that of one seed: its older ones lie in the history of the run above it. */
const entriesAt = async (folder: string): Promise<readonly Entry[]> => {
  const [run, seed] = [dirname(folder), basename(folder)];
  if (!isSeedFolder(seed) || (await exists(join(folder, HISTORY)))) return await entriesIn(folder);
  const above = (await entriesIn(run)).map((entry) => ({ ...entry, folder: join(entry.folder, seed) }));
  const there = await Promise.all(above.map((entry) => exists(join(entry.folder, 'report.json'))));
  const own = above.filter((_, i) => there[i]);
  if (own.length === 0) return await entriesIn(folder);
  return await Promise.all(own.map(async (entry) => ({ ...entry, created: await createdIn(entry.folder) })));
};

const listed = (entries: readonly Entry[]): string =>
  entries.map(({ number, created }) => `@${number} (${created === '' ? 'unreadable' : created})`).join(', ');

const chosen = (entries: readonly Entry[], which: string): readonly Entry[] =>
  /^\d+$/.test(which) && which.length < 4
    ? entries.filter(({ number }) => number === Number(which))
    : entries.filter(({ created }) => created.startsWith(which.replace(' ', 'T')));

/**
 * The folder of one report: RUN@2 by its number, RUN@2026-11-29T05:03 by the time at which its run ended (UTC, as much of it
 * as tells it apart). Any other path is itself.
 */
export const reportFolder = async (where: string): Promise<string> => {
  const [, folder, which] = /^(.+)@([^@/\\]+)$/.exec(where) ?? [];
  if (folder === undefined || which === undefined || (await exists(where)) || !(await exists(folder))) return where;
  const entries = await entriesAt(folder);
  const [entry, another] = chosen(entries, which);
  if (entry !== undefined && another === undefined) return entry.folder;
  const found = entry === undefined ? `has no report "${which}"` : `has several reports of "${which}"`;
  const what = entries.length === 0 ? 'holds no reports' : `${found}; expected one of ${listed(entries)}`;
  throw new UserError(`${folder} ${what}`, { kind: 'no-report' });
};
