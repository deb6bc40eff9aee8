import type { Effect } from '../data/statistics/effects.ts';
import { Z95 } from '../data/statistics/intervals.ts';
import { type Figure, judgedFigure, metricEffect } from '../data/statistics/metrics.ts';
import { pairedCounts, pairedEffect, type Successes, unpairedEffect } from '../data/statistics/pairs.ts';
import { correctness } from '../data/statistics/scored.ts';
import { wholeRight } from '../data/statistics/sets.ts';
import type { Metric } from '../ground/metrics/index.ts';
import { isPaired, type Judged } from './judged.ts';
import { metricOf } from './metric.ts';
import type { Comparison, LatencyReport, QualityReport, Report, StageReport } from './report.ts';

/** A report with what stands behind it, as far as it is there. */
export interface Side {
  readonly report: Pick<Report, 'data' | 'stages' | 'reference' | 'environment' | 'measurement'>;
  /** Predictions by stage id; without entries where only the report is known. */
  readonly scores: ReadonlyMap<string, Judged | null>;
  /** Digest of the test split; null where it is not known. */
  readonly examples: string | null;
}

export const stageIn = ({ report }: Side, id: string): StageReport | undefined =>
  report.stages.find((stage) => stage.id === id);

const same = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((id, i) => id === b[i]);

/** Where answers are choices, with the same right ones. */
const sameLabels = (a: Judged, b: Judged): boolean =>
  a.scored === null || b.scored === null || same(a.scored.labels, b.scored.labels);

/** Answers of two models to the same questions. */
export interface Pair {
  readonly model: Judged;
  readonly other: Judged;
}

/** Predictions of two stages on the same examples, or null where they are missing or of other examples. */
export const pairOf = (model: Side, id: string, other: Side, otherId: string): Pair | null => {
  const [mine, theirs] = [model.scores.get(id), other.scores.get(otherId)];
  if (mine == null || theirs == null) return null;
  const split = model.report === other.report || (model.examples !== null && model.examples === other.examples);
  return split && isPaired(mine, theirs) && sameLabels(mine, theirs) ? { model: mine, other: theirs } : null;
};

/** A difference of quality and how it was found. */
export interface QualityEffect {
  readonly effect: Effect;
  readonly paired: boolean;
  /** Examples that only the model and only the other one gets right; null where pairs are not known. */
  readonly flips: { readonly gained: number; readonly lost: number } | null;
}

const rightOf = ({ scored, sets }: Judged): Uint8Array | null => {
  if (scored !== null) return correctness(scored);
  return sets === null ? null : wholeRight(sets);
};

const flipsOf = (model: Judged, other: Judged): QualityEffect['flips'] => {
  const [mine, theirs] = [rightOf(model), rightOf(other)];
  return mine === null || theirs === null ? null : pairedCounts(mine, theirs);
};

const pairedQuality = (metric: Metric, model: Judged, other: Judged): QualityEffect => ({
  effect: metricEffect(metric, model.judged, other.judged),
  ...{ paired: true, flips: flipsOf(model, other) },
});

/** An effect that only its interval tells of. */
const effectOf = ({ score: { estimate, low, high } }: Comparison): Effect => ({
  ...{ estimate, centre: (low + high) / 2, error: (high - low) / 2 / Z95 },
  ...{ degrees: Number.POSITIVE_INFINITY, also: null },
});

/** What the report itself says of a stage beside another of the same run. */
const recordedQuality = (
  { comparisons, quality }: StageReport,
  versus: string,
  metric: Metric,
): QualityEffect | null => {
  const found = comparisons.find((comparison) => comparison.versus === versus);
  if (found === undefined || quality === null) return null;
  const { mcnemar } = found;
  // McNemar's counts tell of a rate, not of another metric of the same answers.
  if (mcnemar === null || mcnemar.method === 'clustered' || metric.measure.kind !== 'rate') {
    return { effect: effectOf(found), paired: true, flips: mcnemar };
  }
  const { gained, lost } = mcnemar;
  return { effect: pairedEffect({ n: quality.examples, gained, lost }), paired: true, flips: mcnemar };
};

/** Right answers among so many examples as are independent of each other. */
export const successesOf = ({ score, examples, effectiveExamples: n = examples }: QualityReport): Successes => ({
  right: Math.round(score * n),
  n: Math.round(n),
});

/** A metric of a stage with its interval: from its predictions, or as the report has it; null where neither tells it. */
export const figureIn = (side: Side, { id, quality }: StageReport, metric: Metric): Figure | null => {
  if (quality === null) return null;
  if (metric.name === quality.metric) return { value: quality.score, interval: quality.scoreInterval };
  const { value, interval } = quality.more[metric.name] ?? { value: Number.NaN, interval: null };
  if (interval !== null) return { value, interval };
  const judged = side.scores.get(id)?.judged;
  return judged === undefined ? null : judgedFigure(metric, judged);
};

/** Two figures of different examples; their intervals tell their errors. */
const unpairedFigures = (model: Figure, other: Figure): Effect => {
  const error = ({ interval: { low, high } }: Figure): number => (high - low) / 2 / Z95;
  const difference = model.value - other.value;
  return {
    ...{ estimate: difference, centre: difference, error: Math.hypot(error(model), error(other)) },
    ...{ degrees: Number.POSITIVE_INFINITY, also: null },
  };
};

type Stages = readonly [side: Side, stage: StageReport];

const unpairedQuality = (metric: Metric, [mine, stage]: Stages, [theirs, other]: Stages): QualityEffect | null => {
  const [quality, versus] = [stage.quality, other.quality];
  if (quality === null || versus === null || quality.examples === 0 || versus.examples === 0) return null;
  const isPrimaryRate = metric.measure.kind === 'rate' && metric.name === quality.metric;
  if (isPrimaryRate) {
    return { effect: unpairedEffect(successesOf(quality), successesOf(versus)), paired: false, flips: null };
  }
  const [figure, another] = [figureIn(mine, stage, metric), figureIn(theirs, other, metric)];
  return figure === null || another === null
    ? null
    : { effect: unpairedFigures(figure, another), paired: false, flips: null };
};

/**
 * A metric of a stage minus that of another, of the same run or of another one: paired where both answered the same
 * examples, else from the two figures. Null where one was not evaluated. Without a metric it is the one of the task.
 */
export const qualityEffect = (
  model: Side,
  id: string,
  other: Side,
  otherId: string,
  metric: Metric = metricOf(model.report).metric,
): QualityEffect | null => {
  const [stage, versus] = [stageIn(model, id), stageIn(other, otherId)];
  if (stage === undefined || versus === undefined) return null;
  const pair = pairOf(model, id, other, otherId);
  if (pair !== null) return pairedQuality(metric, pair.model, pair.other);
  const isRecorded = model.report === other.report && metric.name === stage.quality?.metric;
  const recorded = isRecorded ? recordedQuality(stage, otherId, metric) : null;
  return recorded ?? unpairedQuality(metric, [model, stage], [other, versus]);
};

/** The same batch, length and threads in another stage. */
export const sameCell = (stage: StageReport | undefined, cell: LatencyReport): LatencyReport | undefined =>
  stage?.latency.find(
    ({ batch, length, threads }) => batch === cell.batch && length === cell.length && threads === cell.threads,
  );
