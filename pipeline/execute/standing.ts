import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { costOf } from '../../reports/cost.ts';
import { describeEnvironment } from '../../reports/environment.ts';
import type { RunSummary } from '../../reports/record.ts';
import type { Report } from '../../reports/report.ts';
import { writeWhole } from '../store/atomic.ts';
import { hashFile, hashJson } from '../store/hash.ts';

/** What the written reports of a folder were made from, and what they are, by hash. */
const FILE = join('records', 'reports.json');
const reports = ['report.json', 'report.md', 'report.html', join('records', 'run.json')];

interface Standing {
  readonly basis: string;
  readonly files: Readonly<Record<string, string>>;
}

const passing = new Set(['created', 'cached']);

/** Everything of some runs that decides what their report says, apart from when they ran and how long that took. */
const basisOf = (runs: readonly RunSummary[]): string => {
  const lasting = runs.map(({ seconds, ...run }) => ({
    ...run,
    environment: describeEnvironment(run.threads, run.decantVersion),
  }));
  return hashJson(JSON.parse(JSON.stringify(lasting, (key, value) => (passing.has(key) ? undefined : value))));
};

const hashes = async (out: string): Promise<Standing['files']> => {
  const found: Record<string, string> = {};
  for (const file of reports) found[file] = (await hashFile(join(out, file))).digest;
  return found;
};

/**
 * The report of a folder, where these runs would only make it again: intervals and pictures take a second, and a run that
 * computed nothing would put its own two seconds in the place of what the figures cost. Undefined where anything differs,
 * the written files included.
 */
export const standingReport = async (out: string, runs: readonly RunSummary[]): Promise<Report | undefined> => {
  try {
    const { basis, files }: Standing = JSON.parse(await readFile(join(out, FILE), 'utf8'));
    if (basis !== basisOf(runs) || hashJson(files) !== hashJson(await hashes(out))) return undefined;
    return JSON.parse(await readFile(join(out, 'report.json'), 'utf8'));
  } catch {
    // Missing or damaged: it is made again.
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

/** Remembers what the reports that now lie in a folder were made from. */
export const rememberReports = async (out: string, runs: readonly RunSummary[]): Promise<void> => {
  const standing: Standing = { basis: basisOf(runs), files: await hashes(out) };
  await writeWhole(join(out, FILE), `${JSON.stringify(standing)}\n`);
};
