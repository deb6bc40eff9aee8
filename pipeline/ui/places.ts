import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { HISTORY, numbersIn, shownNumber } from '../../reports/history.ts';
import { isSeedFolder } from '../../reports/seed-folder.ts';

/** A file as it is now: another stamp is another content. */
export interface Stamped {
  readonly file: string;
  readonly stamp: string;
  readonly changed: number;
}

/** Where a report lies, or a run that has none yet. Ids are looked up, and no path is made of what is asked for. */
export interface RunPlace {
  readonly id: string;
  /** As report and diff take it. */
  readonly run: string;
  readonly folder: string;
  readonly report: Stamped | null;
  /** Its events; of several seeds those of the last that ran. Null of older reports. */
  readonly log: Stamped | null;
}

const stamped = async (file: string): Promise<Stamped | null> => {
  const entry = await stat(file).catch(() => undefined);
  if (entry?.isFile() !== true) return null;
  return { file, stamp: `${entry.ino}:${entry.size}:${entry.mtimeMs}`, changed: entry.mtimeMs };
};

const idOf = (run: string): string => createHash('sha256').update(run).digest('hex').slice(0, 16);

const REPORT = 'report.json';
const EVENTS = 'events.jsonl';

const newest = (files: readonly (Stamped | null)[]): Stamped | null =>
  files.reduce((best, file) => (file !== null && (best === null || file.changed > best.changed) ? file : best), null);

/** Numbers of the reports that moved to a run's history. */
const olderNumbers = async (folder: string, names: readonly string[]): Promise<readonly number[]> => {
  if (!names.includes(HISTORY)) return [];
  const [numbers, shown] = await Promise.all([numbersIn(folder), shownNumber(folder)]);
  return numbers.filter((number) => number !== shown);
};

const olderPlace = async (run: string, folder: string, number: number): Promise<readonly RunPlace[]> => {
  const [name, at] = [`${run}@${number}`, join(folder, HISTORY, `${number}`)];
  const report = await stamped(join(at, REPORT));
  return report === null ? [] : [{ id: idOf(name), run: name, folder: at, report, log: null }];
};

/** The reports of one run's folder. */
const placesIn = async (run: string, folder: string): Promise<readonly RunPlace[]> => {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  const logs = names.filter((name) => name === EVENTS || isSeedFolder(name));
  const [report, log, numbers] = await Promise.all([
    names.includes(REPORT) ? stamped(join(folder, REPORT)) : null,
    Promise.all(logs.map((name) => stamped(join(folder, name, ...(name === EVENTS ? [] : [EVENTS]))))).then(newest),
    olderNumbers(folder, names),
  ]);
  const own = report === null && log === null ? [] : [{ id: idOf(run), run, folder, report, log }];
  const older = await Promise.all(numbers.map((number) => olderPlace(run, folder, number)));
  return [...own, ...older.flat()];
};

/** Folders in a folder that may be those of runs: a seed's is part of its run. */
const foldersIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch((): string[] => [])).filter((name) => !isSeedFolder(name));

/** Those of one run, or of its variants. */
const placesOf = async (run: string, folder: string): Promise<readonly RunPlace[]> => {
  const own = await placesIn(run, folder);
  if (own.length > 0) return own;
  const names = await foldersIn(folder);
  return (await Promise.all(names.map((name) => placesIn(`${run}/${name}`, join(folder, name))))).flat();
};

/** Every report and every run in a folder of runs, or in the folder of one run; variants lie a folder further down. */
export const runPlaces = async (folder: string): Promise<readonly RunPlace[]> => {
  const own = await placesIn(basename(folder), folder);
  if (own.length > 0) return own;
  const names = await foldersIn(folder);
  return (await Promise.all(names.map((name) => placesOf(name, join(folder, name))))).flat();
};
