import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMissing, userErrors } from '../../ground/errors.ts';
import { isFile, isFolder, readText } from '../../ground/whole-file.ts';
import { reportFolder } from '../history.ts';
import { damageOf } from '../records.ts';
import type { Comparison } from './comparison.ts';
import { comparisonFile } from './file.ts';
import { comparisonSchema } from './schema.ts';

const comparisonError = userErrors('comparison');

/** The comparison that a folder of variants holds; undefined where it holds none. */
const readComparison = async (folder: string): Promise<Comparison | undefined> => {
  const file = join(folder, comparisonFile);
  const text = await readText(file).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return comparisonSchema.parse(JSON.parse(text));
  } catch (error) {
    const damage = damageOf(error);
    if (damage === undefined) throw error;
    throw comparisonError(`${file} is damaged: ${damage}; run the pipeline again, which writes it anew`);
  }
};

const hasReport = (folder: string): Promise<boolean> => isFile(join(folder, 'report.json'));

/** Folders of runs in a folder that is none itself: in the order of its comparison where there is one. */
const runsIn = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder);
  const known = (await readComparison(folder))?.recipes.map(({ id }) => id) ?? [];
  const all = [...known, ...names.filter((name) => !known.includes(name)).toSorted()];
  const runs: string[] = [];
  for (const name of all) if (await hasReport(join(folder, name))) runs.push(join(folder, name));
  return runs;
};

/** The reports that a path stands for: one, or those of a folder of runs. */
const reportsAt = async (where: string): Promise<readonly string[]> => {
  if (where.startsWith('git:') || !(await isFolder(await reportFolder(where)))) return [where];
  const runs = (await hasReport(where)) ? [] : await runsIn(await reportFolder(where));
  return runs.length === 0 ? [where] : runs;
};

/** The last part of a path that is not the same for all runs. */
const shortName = (where: string): string =>
  basename(where) === 'report.json' ? basename(dirname(where)) : basename(where);

/** A report that is asked for, and what it is called beside the others. */
export interface NamedReport {
  readonly id: string;
  readonly where: string;
}

/** The reports that paths stand for, each with a name of its own. */
export const namedReports = async (paths: readonly string[]): Promise<readonly NamedReport[]> => {
  const all: string[] = [];
  for (const path of paths) all.push(...(await reportsAt(path.replace(/(?<=.)\/+$/, ''))));
  const twice = all.find((where, i) => all.indexOf(where) < i);
  if (twice !== undefined) throw comparisonError(`${twice} is named twice; expected different reports to compare`);
  const names = all.map(shortName);
  return all.map((where, i) => {
    const name = names[i] ?? where;
    return { id: names.indexOf(name) === names.lastIndexOf(name) ? name : where, where };
  });
};
