import { type Judged, judgedEffect } from './judged.ts';
import type { Comparison, LatencyReport, QualityReport, Report, StageReport } from './report.ts';
import type { Effect } from './statistics/effects.ts';
import { Z95 } from './statistics/intervals.ts';
import { pairedCounts, pairedEffect, type Successes, unpairedEffect } from './statistics/pairs.ts';
import { correctness } from './statistics/scored.ts';

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

const sameLabels = (a: Judged, b: Judged): boolean =>
  a.kind === 'vectors' || b.kind === 'vectors' ? a.kind === b.kind : same(a.scored.labels, b.scored.labels);

/** Predictions of two stages on the same examples, or null where they are missing or of other examples. */
const pairOf = (
  model: Side,
  id: string,
  other: Side,
  otherId: string,
): { readonly model: Judged; readonly other: Judged } | null => {
  const [mine, theirs] = [model.scores.get(id), other.scores.get(otherId)];
  if (mine == null || theirs == null) return null;
  const split = model.report === other.report || (model.examples !== null && model.examples === other.examples);
  return split && same(mine.ids, theirs.ids) && sameLabels(mine, theirs) ? { model: mine, other: theirs } : null;
};

/** A difference of quality and how it was found. */
export interface QualityEffect {
  readonly effect: Effect;
  readonly paired: boolean;
  /** Examples that only the model and only the other one gets right; null where pairs are not known. */
  readonly flips: { readonly gained: number; readonly lost: number } | null;
}

const flipsOf = (model: Judged, other: Judged): QualityEffect['flips'] =>
  model.kind === 'classes' && other.kind === 'classes'
    ? pairedCounts(correctness(model.scored), correctness(other.scored))
    : null;

const pairedQuality = (model: Judged, other: Judged): QualityEffect | null => {
  const effect = judgedEffect(model, other);
  return effect === null ? null : { effect, paired: true, flips: flipsOf(model, other) };
};

/** An effect that only its interval tells of. */
const effectOf = ({ accuracy: { estimate, low, high } }: Comparison): Effect => ({
  ...{ estimate, centre: (low + high) / 2, error: (high - low) / 2 / Z95 },
  ...{ degrees: Number.POSITIVE_INFINITY, also: null },
});

/** What the report itself says of a stage beside another of the same run. */
const recordedQuality = ({ comparisons, quality }: StageReport, versus: string): QualityEffect | null => {
  const found = comparisons.find((comparison) => comparison.versus === versus);
  if (found === undefined || quality === null) return null;
  const { mcnemar } = found;
  if (mcnemar === null || mcnemar.method === 'clustered') {
    return { effect: effectOf(found), paired: true, flips: mcnemar };
  }
  const { gained, lost } = mcnemar;
  return { effect: pairedEffect({ n: quality.examples, gained, lost }), paired: true, flips: mcnemar };
};

/** Right answers among so many examples as are independent of each other. */
export const successesOf = ({ accuracy, examples, effectiveExamples: n = examples }: QualityReport): Successes => ({
  right: Math.round(accuracy * n),
  n: Math.round(n),
});

/** Means of two sets of texts; their intervals tell their errors. */
const unpairedMeans = (model: QualityReport, other: QualityReport): Effect => {
  const error = ({ accuracyInterval: { low, high } }: QualityReport): number => (high - low) / 2 / Z95;
  const difference = model.accuracy - other.accuracy;
  return {
    ...{ estimate: difference, centre: difference, error: Math.hypot(error(model), error(other)) },
    ...{ degrees: Number.POSITIVE_INFINITY, also: null },
  };
};

const unpairedQuality = ({ quality: mine }: StageReport, { quality: theirs }: StageReport): QualityEffect | null => {
  if (mine === null || theirs === null || mine.examples === 0 || theirs.examples === 0) return null;
  const rates = mine.loss !== null && theirs.loss !== null;
  const effect = rates ? unpairedEffect(successesOf(mine), successesOf(theirs)) : unpairedMeans(mine, theirs);
  return { effect, paired: false, flips: null };
};

/**
 * Quality of a stage minus that of another, of the same run or of another one: paired where both answered the same
 * examples, else from the two figures. Null where one was not evaluated.
 */
export const qualityEffect = (model: Side, id: string, other: Side, otherId: string): QualityEffect | null => {
  const [stage, versus] = [stageIn(model, id), stageIn(other, otherId)];
  if (stage === undefined || versus === undefined) return null;
  const pair = pairOf(model, id, other, otherId);
  const paired = pair === null ? null : pairedQuality(pair.model, pair.other);
  const recorded = paired === null && model.report === other.report ? recordedQuality(stage, otherId) : null;
  return paired ?? recorded ?? unpairedQuality(stage, versus);
};

/** The same batch, length and threads in another stage. */
export const sameCell = (stage: StageReport | undefined, cell: LatencyReport): LatencyReport | undefined =>
  stage?.latency.find(
    ({ batch, length, threads }) => batch === cell.batch && length === cell.length && threads === cell.threads,
  );
