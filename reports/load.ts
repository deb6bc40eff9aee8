import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isUserError, userErrors } from '../ground/errors.ts';
import { nearby } from '../ground/near.ts';
import { isFile, readText } from '../ground/whole-file.ts';
import { buildReport } from './build.ts';
import { comparisonFile } from './comparison/file.ts';
import { reportFolder } from './history.ts';
import { damageOf, readRecords, seedFolders } from './records.ts';
import type { Report } from './report.ts';
import { runFile } from './run-file.ts';
import { parseReport } from './schema/index.ts';
import { withSeeds } from './seeds.ts';
import { readWritten, verifyWritten } from './written.ts';

/** There is no report where one was asked for. */
const noReport = userErrors('no-report');

/** A report.json in the folder of a run must be what the run left there. */
const readReport = async (file: string): Promise<Report> => {
  const text = await readText(file);
  await verifyWritten(dirname(file), [basename(file)]);
  return parseReport(text, file);
};

/** Records that were changed, thinned out or cut are the user's to mend; what else goes wrong over them is a bug. */
const damaged = (folder: string, error: unknown): unknown => {
  const reason = isUserError(error) ? undefined : damageOf(error);
  return reason === undefined
    ? error
    : noReport(`the records of ${folder} are damaged: ${reason}; run the pipeline again`, { cause: error });
};

/** The report of a run's folder from its records, and from those of its seeds where there are several. */
const reportFromRecords = async (folder: string): Promise<Report> => {
  const run = await readRecords(folder);
  const folders = seedFolders(run).map((name) => join(folder, name));
  if (folders.length === 0) return await buildReport(run);
  await verifyWritten(
    folder,
    seedFolders(run).map((name) => join(name, runFile)),
  );
  const reports: Report[] = [];
  for (const one of folders) reports.push(await buildReport(await readRecords(one)));
  return withSeeds(reports);
};

/**
 * The report of a run's folder, computed again from its records, or as report.json holds it where there are none; or of
 * a report.json itself. Older reports of a folder are named as reportFolder takes them. Throws where there is
 * none.
 */
export const loadReport = async (where: string): Promise<Report> => {
  const path = await reportFolder(where);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw noReport(
      `${path}: no such file or folder; expected the folder of a run (runs/NAME) or a report.json${nearby(path)}`,
    );
  }
  if (!found.isDirectory()) return await readReport(path);
  if ((await isFile(join(path, runFile))) || (await readWritten(path)) !== null) {
    return await reportFromRecords(path).catch((error: unknown) => Promise.reject(damaged(path, error)));
  }
  const file = join(path, 'report.json');
  if (await isFile(file)) return await readReport(file);
  if (await isFile(join(path, comparisonFile))) {
    throw noReport(`${path} holds variants: name one of its folders, or set them side by side: decant compare ${path}`);
  }
  throw noReport(`${path} holds no report: expected records/run.json or report.json, as decant run leaves them`);
};
