import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isUserError, messageOf } from '../../ground/errors.ts';
import { isFile } from '../../ground/whole-file.ts';
import { latencyCaption, mainBlocks, scoreText, telling } from '../../reports/columns.ts';
import { HISTORY } from '../../reports/history.ts';
import { loadReport } from '../../reports/load.ts';
import { metricOf, trainingMetric } from '../../reports/metric.ts';
import type { Report, StageReport } from '../../reports/report.ts';
import { cellOf, controlNote, type Row, rowsOf } from '../../reports/rows.ts';
import { RECORDS } from '../../reports/run-file.ts';
import { busyNote } from '../../reports/speed.ts';
import { oneLine } from '../../reports/text.ts';
import { headline, verdict } from '../../reports/verdict.ts';
import type { RunPlace } from './places.ts';
import type { CurvePoint, ModelChoice, RunDetails, Table } from './shapes.ts';

/** The figures of the report's table that one looks for first, the score with its interval. */
const stagesTable = (report: Report): Table => {
  const [metric, best] = [metricOf(report), headline(report)?.id];
  const [score, ...others] = telling(report, mainBlocks(report).flat());
  const scored = (row: Row): string => {
    const { quality } = row.stage;
    if (score === undefined) return '';
    return quality !== null && Number.isFinite(quality.scoreInterval.low)
      ? scoreText(row.stage, metric)
      : cellOf(score, row, report);
  };
  return {
    columns: ['stage', ...(score === undefined ? [] : [`${score.title} [95 %]`]), ...others.map(({ title }) => title)],
    rows: rowsOf(report).map((row) => ({
      strong: row.kind === 'stage' && row.stage.id === best,
      cells: [
        oneLine(row.stage.id),
        ...(score === undefined ? [] : [scored(row)]),
        ...others.map((column) => cellOf(column, row, report)),
      ],
    })),
  };
};

/** As many points of a curve as a picture has room for, the last one and every validation among them. */
const MOST_POINTS = 300;

const curveOf = (report: Report, { id, training }: StageReport): readonly CurvePoint[] => {
  if (training === null) return [];
  const { factor } = trainingMetric(report, training);
  const stride = Math.ceil(training.curve.length / MOST_POINTS);
  return training.curve
    .filter(({ score }, i, { length }) => score !== undefined || (length - 1 - i) % stride === 0)
    .map(({ step, loss, score }) => ({
      ...{ stage: oneLine(id), step, loss: Number.isFinite(loss) ? loss : null },
      score: score === undefined ? null : factor * score,
    }));
};

const scoresOf = (report: Report): Readonly<Record<string, string>> =>
  Object.fromEntries(
    report.stages.flatMap(({ id, training }) =>
      training === null ? [] : [[oneLine(id), trainingMetric(report, training).title]],
    ),
  );

/** Folders in a folder; what only links there belongs to somebody else. */
const foldersIn = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
};

const MODELS = 'models';

/** Folders of a run that hold no model of their own. */
const others: ReadonlySet<string> = new Set([MODELS, RECORDS, HISTORY, 'logs']);

/** The models in a run's folder: those of its stages, and exported folders. */
export const modelsIn = async ({ folder }: Pick<RunPlace, 'folder'>): Promise<readonly ModelChoice[]> => {
  const choices: ModelChoice[] = [];
  for (const name of await foldersIn(join(folder, MODELS))) {
    const id = join(MODELS, name);
    if (await isFile(join(folder, id, 'model.json'))) choices.push({ id, title: oneLine(name) });
  }
  for (const name of (await foldersIn(folder)).filter((one) => !others.has(one))) {
    if (await isFile(join(folder, name, 'config.json')))
      choices.push({ id: name, title: `${oneLine(name)} (exported)` });
  }
  return choices;
};

const notesOf = (report: Report): readonly string[] =>
  [controlNote(report), latencyCaption(report), busyNote(report)].filter((note) => note !== undefined).map(oneLine);

type FromReport = Omit<RunDetails, 'id' | 'run' | 'models' | 'hasReport'>;

const noReport: FromReport = { verdict: '', problem: null, stages: null, notes: [], curves: [], scores: {} };

const fromReport = async ({ report: file }: RunPlace): Promise<FromReport> => {
  if (file === null) return noReport;
  try {
    const report = await loadReport(file.file);
    return {
      ...{ verdict: verdict(report), problem: null, stages: stagesTable(report), notes: notesOf(report) },
      ...{ curves: report.stages.flatMap((stage) => curveOf(report, stage)), scores: scoresOf(report) },
    };
  } catch (error) {
    if (!isUserError(error)) throw error;
    return { ...noReport, problem: oneLine(messageOf(error)) };
  }
};

/** What is shown of one run: its report as it was written, once it is known to be what the run left. */
export const detailsOf = async (place: RunPlace): Promise<RunDetails> => {
  const { id, run, report } = place;
  const [told, models] = await Promise.all([fromReport(place), modelsIn(place)]);
  return { ...told, id, run: oneLine(run), models, hasReport: report !== null };
};
