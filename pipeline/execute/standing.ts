import { join } from 'node:path';
import { readText } from '../../ground/whole-file.ts';
import { sealedRecord } from '../../reports/checksum.ts';
import { costOf } from '../../reports/cost.ts';
import { describeEnvironment } from '../../reports/environment.ts';
import type { RunSummary } from '../../reports/record.ts';
import { seedFolders } from '../../reports/records.ts';
import type { Report } from '../../reports/report.ts';
import { runFile } from '../../reports/run-file.ts';
import { parseReport } from '../../reports/schema/index.ts';
import { readWritten, type Written, writtenFile } from '../../reports/written.ts';
import { writeWhole } from '../store/atomic.ts';
import { hashFile, hashJson } from '../store/hash.ts';

const reports = ['report.json', 'report.md', 'report.html', runFile];

const passing = new Set(['created', 'cached']);

/** Everything of some runs that decides what their report says, apart from when they ran and how long that took. */
export const basisOf = (runs: readonly RunSummary[]): string => {
  const lasting = runs.map(({ seconds, ...run }) => ({
    ...run,
    environment: describeEnvironment(run.threads, run.decantVersion),
  }));
  return hashJson(JSON.parse(JSON.stringify(lasting, (key, value) => (passing.has(key) ? undefined : value))));
};

const hashes = async (out: string, files: readonly string[]): Promise<Written['files']> => {
  const found: Record<string, string> = {};
  for (const file of files) found[file] = (await hashFile(join(out, file))).digest;
  return found;
};

/** What a folder says of its reports; null where it says nothing that can be read. */
export const writtenIn = (out: string): Promise<Written | null> => readWritten(out).catch(() => null);

/** Whether the reports of a folder are what it says was written there. */
export const stands = async (out: string, written: Written): Promise<boolean> => {
  const now = await hashes(out, Object.keys(written.files)).catch(() => null);
  return now !== null && hashJson(now) === hashJson(written.files);
};

/**
 * The report of a folder that was made of what these runs would make it of again: intervals and pictures take a second, and a run that
 * computed nothing would put its own two seconds in the place of what the figures cost. Undefined where anything differs,
 * the written files included.
 */
export const standingReport = async (out: string, written: Written): Promise<Report | undefined> => {
  try {
    const file = join(out, 'report.json');
    return (await stands(out, written)) ? parseReport(await readText(file), file) : undefined;
  } catch {
    // Damaged: it is made again.
    return undefined;
  }
};

/** A report that stands, as this run prints it: what it took now, and what of it was reused. */
export const asOfNow = (report: Report, run: RunSummary): Report => ({
  ...report,
  created: run.created,
  seconds: run.seconds,
  cost: costOf(run),
  stages: report.stages.map((stage) => ({
    ...stage,
    cached: run.stages.find(({ id }) => id === stage.id)?.step?.cached ?? false,
  })),
});

/** Remembers which report of a folder now lies in it, what it was made from, and what its files are. */
export const rememberReports = async (
  out: string,
  run: RunSummary,
  { number, basis }: Pick<Written, 'number' | 'basis'>,
): Promise<void> => {
  const files = await hashes(out, [...reports, ...seedFolders(run).map((name) => join(name, runFile))]);
  await writeWhole(join(out, writtenFile), `${JSON.stringify(sealedRecord({ number, basis, files }))}\n`);
};
