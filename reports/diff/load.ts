import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isUserError, messageOf, reworded, systemCode, userErrors } from '../../ground/errors.ts';
import { datasetMetrics } from '../../ground/reported/data.ts';
import type { DatasetTask } from '../../ground/tasks.ts';
import { isFolder, readText } from '../../ground/whole-file.ts';
import { reportFolder } from '../history.ts';
import { type JudgedStages, judgeStages } from '../judged.ts';
import { loadReport } from '../load.ts';
import { outputOf, type RunSummary, stepMaking } from '../record.ts';
import { damageOf, readRecords } from '../records.ts';
import type { Report } from '../report.ts';
import { parseReport } from '../schema/index.ts';
import { verifyWritten } from '../written.ts';
import type { DiffSide } from './compare.ts';

/** One side of a diff cannot be read. */
const diffSideError = userErrors('diff-side');

const run = promisify(execFile);
const LARGEST_REPORT = 256 * 1024 * 1024;

/** What git says of its failure, without the advice below it; undefined where git did not fail. */
const gitReason = (error: unknown): string | undefined => {
  if (systemCode(error) === 'ENOENT') return 'git is not installed';
  if (!(error instanceof Error && 'stderr' in error)) return undefined;
  const said = String(error.stderr) === '' ? error.message : String(error.stderr);
  return (said.split('\n')[0] ?? '').replace(/^fatal: /, '');
};

/** A file of a commit. Options cannot be smuggled in as a revision, and no filter of the repository runs. */
const showFile = async (revision: string, path: string): Promise<string> => {
  const args = ['show', '--no-textconv', '--no-color', '--end-of-options', `${revision}:${path}`];
  const { stdout } = await run('git', args, { maxBuffer: LARGEST_REPORT });
  // git lists what is in a folder.
  return stdout.startsWith(`tree ${revision}:${path}\n`)
    ? await showFile(revision, `${path.replace(/\/+$/, '')}/report.json`)
    : stdout;
};

const fromGit = async (where: string, revision: string, path: string): Promise<Report> => {
  const text = await showFile(revision, path).catch((error: unknown) => {
    const reason = gitReason(error);
    if (reason === undefined) throw error;
    throw diffSideError(
      `${where}: ${reason}; expected git:REVISION:PATH of a report.json that is committed, such as git:main:report.json`,
    );
  });
  return parseReport(text, where);
};

const classesOf = (run: RunSummary): readonly string[] => {
  const read = stepMaking(run, 'dataset');
  return read === null ? [] : datasetMetrics.parse(read.metrics).classes;
};

type Asked = Parameters<typeof judgeStages>[0];

const scoresOf = async (
  run: RunSummary,
  stages: Asked,
  task: DatasetTask,
  folder: string,
): Promise<JudgedStages['scores']> => {
  try {
    return (await judgeStages(stages, task, classesOf(run), () => '')).scores;
  } catch (error) {
    const damage = damageOf(error);
    if (damage === undefined) throw error;
    throw diffSideError(
      `${folder}: the predictions of this run are damaged (${damage}); run the pipeline again, or compare the report.json alone`,
    );
  }
};

const digestOf = (run: RunSummary, split: 'test' | 'validation'): string | null =>
  outputOf(run, 'dataset')?.artifact.files[`${split}.jsonl`]?.digest ?? null;

/** Answers to validation texts, where the run has them. */
const validationIn = async (
  run: RunSummary,
  task: DatasetTask,
  folder: string,
): Promise<Pick<DiffSide, 'validation'>> => {
  const asked = run.stages.map(({ id, validation = null }) => ({ id, evaluation: validation }));
  if (asked.every(({ evaluation }) => evaluation === null)) return {};
  return { validation: { scores: await scoresOf(run, asked, task, folder), examples: digestOf(run, 'validation') } };
};

const nothingStored: Pick<DiffSide, 'scores' | 'examples'> = { scores: new Map(), examples: null };

type Stored = Pick<DiffSide, 'scores' | 'examples' | 'validation'>;

const storedIn = async (folder: string, task: DatasetTask): Promise<Stored> => {
  const records = await readRecords(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    if (isUserError(error, 'changed-file')) throw error;
    throw reworded(error, (reason) => diffSideError(`the records of ${folder} cannot be read: ${reason}`));
  });
  if (records === null) return nothingStored;
  const scores = await scoresOf(records, records.stages, task, folder);
  return { scores, examples: digestOf(records, 'test'), ...(await validationIn(records, task, folder)) };
};

/** As the run left it: computing it again from the records would say the same and take longer. */
const writtenReport = async (folder: string): Promise<Report> => {
  const file = join(folder, 'report.json');
  const text = await readText(file).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw isUserError(error) ? error : diffSideError(`${file} cannot be read: ${messageOf(error)}`);
  });
  if (text === null) return await loadReport(folder);
  await verifyWritten(folder, ['report.json']);
  return parseReport(text, file);
};

/**
 * One side of a diff: the folder of a run with its predictions, an older report of it, a report.json, or one in a commit as
 * git:REVISION:PATH. Throws where there is no report, with what was expected.
 */
export const loadSide = async (where: string): Promise<DiffSide> => {
  const [, revision, path] = /^git:([^:]+):(.+)$/s.exec(where) ?? [];
  const at = revision === undefined ? await reportFolder(where) : where;
  const folder = await isFolder(at);
  const report =
    revision !== undefined && path !== undefined
      ? await fromGit(where, revision, path)
      : await (folder ? writtenReport(at) : loadReport(at));
  const stored = folder ? await storedIn(at, report.data.task) : nothingStored;
  return { report, ...stored, name: { where, name: report.name, created: report.created } };
};
