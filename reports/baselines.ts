import { evidenceOf } from '../data/evidence.ts';
import { type Predictions, readPredictions } from '../data/predictions.ts';
import type { Rows } from '../data/rows.ts';
import type { Interval } from '../data/statistics/intervals.ts';
import { effectInterval } from '../data/statistics/metrics.ts';
import { macroF1 } from '../ground/metrics/index.ts';
import { isBetter } from '../ground/metrics/metric.ts';
import { type BaselineMetrics, baselineMetrics } from '../ground/reported/data.ts';
import type { EvaluationMetrics } from '../ground/reported/evaluation.ts';
import type { DataTask } from '../ground/tasks.ts';
import { differenceFrom } from './compare.ts';
import { isUndisturbed } from './disturbed.ts';
import { type Judged, judgedEffect } from './judged.ts';
import { qualityReport } from './quality.ts';
import { baselineSteps, outputIn, type RunSummary, type StepSummary } from './record.ts';
import type { BaselineReport, OverBaseline, QualityReport, Report } from './report.ts';
import { baselineCalled } from './schema/names.ts';

type Baseline = BaselineMetrics[string];

/** A model that is no Transformer, with what it answered about the test split where that was kept. */
export interface JudgedBaseline {
  readonly name: string;
  readonly figures: Baseline;
  readonly judged: Judged | null;
}

/** Whether a step kept what its baseline answered, for models to be compared with. */
export const keptAnswers = ({ metrics }: StepSummary): boolean => {
  const { data } = baselineMetrics.safeParse(metrics);
  return Object.values(data ?? {}).some(({ predicted }) => predicted === true);
};

/** Rows that all name one class. */
const rowsOfOne = (rows: number, always: number): Pick<Rows, 'columns' | 'data' | 'kept'> => ({
  ...{ columns: 1, data: new Float32Array(rows), kept: new Uint32Array(rows).fill(always) },
});

/** Rows that are all sure of the same classes: signs are all that sets are read from. */
const rowsOfSet = (rows: number, width: number, always: readonly number[]): Pick<Rows, 'columns' | 'data'> => ({
  ...{
    columns: width,
    data: Float32Array.from({ length: rows * width }, (_, at) => (always.includes(at % width) ? 1 : -1)),
  },
});

/** The same questions, all answered alike. */
const answeredBy = (predictions: Predictions, always: NonNullable<Baseline['always']>): Predictions => {
  const { ids, rows } = predictions;
  const alike = typeof always === 'number' ? rowsOfOne(ids.length, always) : rowsOfSet(ids.length, rows.width, always);
  return { ...predictions, rows: { width: rows.width, ...alike, unread: new Uint8Array(ids.length) } };
};

const answersOf = ({ predicted, always }: Baseline, predictions: Predictions): Predictions | null => {
  if (predicted === true) return predictions;
  return always === undefined ? null : answeredBy(predictions, always);
};

/** What was asked, and the names of the classes. */
interface Asked {
  readonly task: DataTask;
  readonly classes: readonly string[];
}

const judgedStep = async (
  step: StepSummary,
  { task, classes }: Asked,
  textOf: Judged['textOf'],
): Promise<readonly JudgedBaseline[]> => {
  const output = keptAnswers(step) ? outputIn(step, 'predictions') : undefined;
  const predictions = output === undefined ? null : await readPredictions(output.path);
  return Object.entries(baselineMetrics.parse(step.metrics)).map(([name, figures]) => {
    const answers = predictions === null ? null : answersOf(figures, predictions);
    const evidence = answers === null ? null : evidenceOf({ task, classes }, answers, answers);
    const judged = evidence === null || answers === null ? null : { ...evidence, task, ids: answers.ids, textOf };
    return { name, figures, judged };
  });
};

/** Baselines of the data, and those that an evaluation found since they hang on a model's tokens. */
export const judgeBaselines = async (
  run: RunSummary,
  beside: EvaluationMetrics['baselines'],
  asked: Asked,
  textOf: Judged['textOf'],
): Promise<readonly JudgedBaseline[]> => {
  const all: JudgedBaseline[] = [];
  for (const step of baselineSteps(run)) all.push(...(await judgedStep(step, asked, textOf)));
  return [...all, ...Object.entries(beside ?? {}).map(([name, figures]) => ({ name, figures, judged: null }))];
};

/** Figures beside the score; of one that says the same of everything no probability means anything. */
const moreOf = ({ figures: { more, predicted } }: JudgedBaseline, quality: QualityReport): BaselineReport['more'] => {
  const kept = Object.entries(quality.more).filter(([name]) => predicted === true || name === macroF1.name);
  return { ...more, ...Object.fromEntries(kept.map(([name, { value }]) => [name, value])) };
};

/** What it takes: a median of a busy machine is marked as models' are. */
const costOf = ({ bytes, msPerText, waited = 0 }: Baseline): Pick<BaselineReport, 'bytes' | 'msPerText' | 'busy'> => ({
  ...(bytes === undefined ? {} : { bytes }),
  ...(msPerText === undefined ? {} : { msPerText, busy: !isUndisturbed({ waited }) }),
});

const baselineReport = (
  baseline: JudgedBaseline,
  reference: Judged | null,
  classes: readonly string[],
): BaselineReport => {
  const { name, figures, judged } = baseline;
  const { score, more, called } = figures;
  const quality = judged === null ? null : qualityReport(judged, classes);
  const beside = quality === null ? more : moreOf(baseline, quality);
  return {
    ...{ score, called: baselineCalled(name, called) },
    ...(beside === undefined || Object.keys(beside).length === 0 ? {} : { more: beside }),
    ...costOf(figures),
    scoreInterval: quality?.scoreInterval ?? null,
    difference: judged === null || reference === null ? null : differenceFrom(judged, reference),
  };
};

/** Baselines as a report tells them; null where there are none. */
export const baselinesReport = (
  baselines: readonly JudgedBaseline[],
  reference: Judged | null,
  classes: readonly string[],
): Report['data']['baselines'] =>
  baselines.length === 0
    ? null
    : Object.fromEntries(baselines.map((one) => [one.name, baselineReport(one, reference, classes)]));

const scoreOf = ({ figures: { score } }: JudgedBaseline): number => score ?? Number.NaN;

/** The one that is hardest to beat; undefined for none. */
export const strongest = (baselines: readonly JudgedBaseline[], { metric }: DataTask): JudgedBaseline | undefined =>
  baselines
    .filter((one) => Number.isFinite(scoreOf(one)))
    .reduce<JudgedBaseline | undefined>(
      (best, one) => (best === undefined || isBetter(metric, scoreOf(one), scoreOf(best)) ? one : best),
      undefined,
    );

/** Against a figure whose answers are not known, the interval of the model's own figure has to do. */
const unpaired = (quality: QualityReport, score: number): Interval => ({
  estimate: quality.score - score,
  low: quality.scoreInterval.low - score,
  high: quality.scoreInterval.high - score,
});

/** What a model is better by than a baseline on the same answers; null where there is nothing to compare. */
export const overBaseline = (
  model: Judged | null,
  quality: QualityReport | null,
  baseline: JudgedBaseline | undefined,
): OverBaseline | null => {
  if (model === null || quality === null || baseline === undefined) return null;
  const { name, judged } = baseline;
  const effect = judged === null ? null : judgedEffect(model, judged);
  const score = effect === null ? unpaired(quality, scoreOf(baseline)) : effectInterval(model.task.metric, effect);
  return { baseline: name, score, paired: effect !== null };
};
