import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isFolder, readText } from '../../ground/whole-file.ts';
import { type Entry, entriesIn, HISTORY } from '../../reports/history.ts';
import { metricOf } from '../../reports/metric.ts';
import type { RunSummary } from '../../reports/record.ts';
import { damageOf, readSummary } from '../../reports/records.ts';
import type { Report } from '../../reports/report.ts';
import { parseReport } from '../../reports/schema/index.ts';
import { isSeedFolder } from '../../reports/seed-folder.ts';
import { headline } from '../../reports/verdict.ts';
import { bytesAt } from './sizes.ts';

/** The figure that a reader came for. */
interface Headline {
  readonly stage: string;
  readonly figure: string;
  /** A rate from 0 to 1, or a cosine. */
  readonly value: number;
  /** As people read it. */
  readonly text: string;
}

/** One report of a run's folder. */
export interface Listed {
  /** As report and diff take it. */
  readonly run: string;
  readonly name: string;
  readonly number: number;
  /** It lies in the run's folder itself; the others lie in its history. */
  readonly shown: boolean;
  readonly created: string;
  /** `unreadable` where its report cannot be read; see `problem`. */
  readonly state: 'complete' | 'failed' | 'unreadable';
  readonly problem: string | null;
  readonly seconds: number | null;
  readonly stages: readonly string[];
  /** What was asked for besides the file. */
  readonly overrides: readonly string[];
  readonly until: string | null;
  readonly headline: Headline | null;
  readonly bytes: number;
}

/** Of the stage that a reader came for; null where it has none. */
export const headlineOf = (report: Report): Headline | null => {
  const stage = headline(report);
  if (stage?.quality == null) return null;
  const { metric, write, unit } = metricOf(report);
  const { score: value } = stage.quality;
  return { stage: stage.id, figure: metric.name, value, text: `${write(value)}${unit}` };
};

/** What is wrong with a run's files, in words; bugs pass. */
const problemOf = (error: unknown): string => {
  const damage = damageOf(error);
  if (damage === undefined) throw error;
  return damage;
};

const summaryIn = (folder: string): Promise<RunSummary | null> =>
  readSummary(folder).catch((error: unknown) => {
    problemOf(error);
    return null;
  });

/** Whether every stage of the run that left a folder was finished, as far as its records say. */
export const isCompleteIn = async (folder: string): Promise<boolean> => {
  const run = await summaryIn(folder);
  return run === null || run.stages.every(({ step }) => step !== null);
};

const unreadable = (error: unknown): Pick<Listed, 'state' | 'problem'> => ({
  state: 'unreadable',
  problem: problemOf(error),
});

const listed = async (out: string, { number, folder, shown, created }: Entry, entries: number): Promise<Listed> => {
  const row = {
    ...{ run: shown && entries === 1 ? out : `${out}@${number}`, name: basename(out), number, shown, created },
    bytes: await bytesAt(folder, [HISTORY]),
  };
  const nothing = { seconds: null, stages: [], overrides: [], until: null, headline: null };
  try {
    const file = join(folder, 'report.json');
    const report = parseReport(await readText(file), file);
    const { pipeline, seconds, stages, name } = report;
    const state = (await isCompleteIn(folder)) ? 'complete' : 'failed';
    return {
      ...{ ...row, name, state, problem: null, seconds, stages: stages.map(({ id }) => id) },
      ...{ overrides: pipeline.overrides, until: pipeline.until ?? null, headline: headlineOf(report) },
    };
  } catch (error) {
    return { ...row, ...nothing, ...unreadable(error) };
  }
};

const listedIn = async (out: string): Promise<readonly Listed[]> => {
  const entries = await entriesIn(out);
  return await Promise.all(entries.map((entry) => listed(out, entry, entries.length)));
};

/** A seed's folder is part of its run. */
const foldersIn = async (folder: string): Promise<readonly string[]> => {
  const names = (await readdir(folder)).filter((name) => !isSeedFolder(name));
  const found = await Promise.all(names.map((name) => isFolder(join(folder, name))));
  return names.filter((_, i) => found[i]).map((name) => join(folder, name));
};

/** Every report in a folder of runs, or in the folder of one run, the newest first; variants lie a folder further down. */
export const listRuns = async (folder: string): Promise<readonly Listed[]> => {
  const own = await listedIn(folder);
  if (own.length > 0) return own;
  const rows: Listed[] = [];
  for (const run of await foldersIn(folder)) {
    const found = await listedIn(run);
    rows.push(...found);
    for (const variant of found.length > 0 ? [] : await foldersIn(run)) rows.push(...(await listedIn(variant)));
  }
  return rows.toSorted((a, b) => b.created.localeCompare(a.created) || a.run.localeCompare(b.run));
};
