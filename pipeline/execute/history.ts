import { copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from '../../ground/errors.ts';
import { readText } from '../../ground/whole-file.ts';
import { HISTORY, numbersIn, shownNumber } from '../../reports/history.ts';
import { placedFile } from '../../reports/placed.ts';
import type { RunSummary } from '../../reports/record.ts';
import { recordFiles, seedFolders } from '../../reports/records.ts';
import { runFile } from '../../reports/run-file.ts';
import { seedFolder } from '../../reports/seed-folder.ts';
import { writtenFile } from '../../reports/written.ts';
import { replaceFile, temporaryFor } from '../store/atomic.ts';
import { listFiles } from '../store/hash.ts';
import { stands, writtenIn } from './standing.ts';

const entryFolder = (out: string, number: number): string => join(out, HISTORY, `${number}`);

const reports = ['report.json', 'report.md', 'report.html'];

const linked = async (from: string, to: string): Promise<void> => {
  await mkdir(dirname(to), { recursive: true });
  await link(from, to).catch(async (error: unknown) => {
    if (!isMissing(error)) await copyFile(from, to);
  });
};

const within = (folder: string, files: readonly string[]): readonly string[] => files.map((file) => join(folder, file));

const recordsIn = async (out: string): Promise<readonly string[]> =>
  within('records', await listFiles(join(out, 'records')).catch(() => []));

const seedsIn = async (out: string): Promise<readonly string[]> => {
  try {
    const { seeds }: Pick<RunSummary, 'seeds'> = JSON.parse(await readText(join(out, runFile)));
    return seeds === undefined ? [] : seeds.map(seedFolder);
  } catch {
    return [];
  }
};

/** The files of the report that lies in a run's folder, with those of its seeds. */
const shownFiles = async (out: string): Promise<readonly string[]> => {
  const files = [...reports, ...(await recordsIn(out)).filter((file) => file !== placedFile)];
  for (const seed of await seedsIn(out)) {
    files.push(...within(seed, [...reports, ...(await recordsIn(join(out, seed)))]));
  }
  return files;
};

/**
 * Keeps the report that lies in a run's folder in its history, before another one takes its place: what is there is linked,
 * not copied. Does nothing where it is there already, or where there is none.
 */
export const keepShown = async (out: string): Promise<void> => {
  const number = await shownNumber(out);
  if (number === null || (await numbersIn(out)).includes(number)) return;
  const folder = entryFolder(out, number);
  const temporary = temporaryFor(folder);
  for (const file of await shownFiles(out)) await linked(join(out, file), join(temporary, file));
  await rename(temporary, folder);
};

/** Number of a report that is kept and was made from this basis; undefined where there is none that is whole. */
export const keptNumber = async (out: string, basis: string): Promise<number | undefined> => {
  for (const number of await numbersIn(out)) {
    const folder = entryFolder(out, number);
    const written = await writtenIn(folder);
    if (written?.basis !== basis) continue;
    if (await stands(folder, written)) return number;
    // It is made again, in its old place.
    await rm(folder, { recursive: true, force: true });
  }
  return undefined;
};

/** Lets a kept report lie in the run's folder again; copied, since an editor may change what lies there. */
export const showKept = async (out: string, number: number, run: RunSummary): Promise<void> => {
  const from = entryFolder(out, number);
  const seeds = seedFolders(run).map((seed) => join(seed, runFile));
  for (const file of [...reports, runFile, ...seeds, writtenFile]) {
    await mkdir(dirname(join(out, file)), { recursive: true });
    await replaceFile(join(out, file), (temporary) => copyFile(join(from, file), temporary));
  }
};

/** Records that another run left in a run's folder; they are kept with its report. */
export const removeOtherRecords = async (out: string, run: RunSummary): Promise<void> => {
  const own = new Set([...recordFiles(run).map(({ to }) => to), runFile, writtenFile, placedFile]);
  for (const file of await recordsIn(out)) if (!own.has(file)) await rm(join(out, file), { force: true });
};

/** A number for a report that is made anew: one more than any there was. */
export const nextNumber = async (out: string): Promise<number> =>
  Math.max(0, (await shownNumber(out)) ?? 0, ...(await numbersIn(out))) + 1;
