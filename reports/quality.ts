import { type ClassReport, classReport } from '../data/statistics/classes.ts';
import { entityScores } from '../data/statistics/entities.ts';
import { effectiveCount, judgedFigure } from '../data/statistics/metrics.ts';
import { agreement, divergence } from '../data/statistics/pairs.ts';
import { setAgreement, setClasses, setDivergence } from '../data/statistics/sets.ts';
import { type Metric, macroF1 } from '../ground/metrics/index.ts';
import { figureOf } from '../ground/metrics/metric.ts';
import type { Judged } from './judged.ts';
import type { QualityReport, StageReport } from './report.ts';

type Classes = Pick<ClassReport, 'classes'> & Partial<ClassReport>;

type Figure = QualityReport['more'][string];

/** Scores by class, where answers are of a few classes that have names. */
const classesIn = ({ scored, sets }: Judged, labels: readonly string[]): Classes | null => {
  if (labels.length === 0) return null;
  return scored === null ? sets && { classes: setClasses(sets) } : classReport(scored);
};

const figureFor = (metric: Metric, { judged, pairs }: Judged, classes: Classes | null): Figure => {
  // Its interval comes from the resamples that give every class one.
  const { macroF1: value, macroF1Interval: interval } = classes ?? {};
  if (metric === macroF1 && value !== undefined && interval !== undefined) return { value, interval };
  const answers = metric.over === 'pairs' ? (pairs ?? judged) : judged;
  return metric.alone === true ? { value: figureOf(metric, answers), interval: null } : judgedFigure(metric, answers);
};

/** Every figure of what a model made of the test split. */
export const qualityReport = (answers: Judged, labels: readonly string[]): QualityReport => {
  const { task, judged } = answers;
  const classes = classesIn(answers, labels);
  const { value, interval } = judgedFigure(task.metric, judged);
  const more = task.more.map((metric) => [metric.name, figureFor(metric, answers, classes)] as const);
  return {
    ...{ metric: task.metric.name, score: value, scoreInterval: interval },
    more: Object.fromEntries(more.filter(([, figure]) => Number.isFinite(figure.value))),
    examples: judged.count,
    ...(judged.groups === undefined ? {} : { effectiveExamples: effectiveCount(task.metric, judged) }),
    classes: (classes?.classes ?? []).map((one, c) => ({ label: labels[c] ?? `${c}`, ...one })),
    ...(task.truth === 'entities' ? { entities: entityScores(judged, labels) } : {}),
  };
};

/** How often, and how nearly, a model says what the reference says; null where answers are no choices. */
export const agreementReport = (model: Judged | null, reference: Judged | null): StageReport['agreement'] =>
  model === null || reference === null ? null : agreementOf(model, reference);

const agreementOf = (model: Judged, reference: Judged): StageReport['agreement'] => {
  if (model.scored !== null && reference.scored !== null) {
    return { top1: agreement(reference.scored, model.scored), kl: divergence(reference.scored, model.scored) };
  }
  return model.sets !== null && reference.sets !== null
    ? { top1: setAgreement(reference.sets, model.sets), kl: setDivergence(reference.sets, model.sets) }
    : null;
};
