import type { Judged } from './compare.ts';
import type { LatencyReport, Report, StageReport } from './report.ts';
import type { Effect } from './statistics/effects.ts';
import { pairedCounts, pairedEffect, type Successes, unpairedEffect } from './statistics/pairs.ts';
import { correctness } from './statistics/scored.ts';

/** A report with what stands behind it, as far as it is there. */
export interface Side {
  readonly report: Pick<Report, 'stages' | 'reference' | 'environment' | 'measurement'>;
  /** Predictions by stage id; without entries where only the report is known. */
  readonly scores: ReadonlyMap<string, Judged | null>;
  /** Digest of the test split; null where it is not known. */
  readonly examples: string | null;
}

export const stageIn = ({ report }: Side, id: string): StageReport | undefined =>
  report.stages.find((stage) => stage.id === id);

const same = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((id, i) => id === b[i]);

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
  const equal = split && same(mine.ids, theirs.ids) && same(mine.scored.labels, theirs.scored.labels);
  return equal ? { model: mine, other: theirs } : null;
};

/** A difference of accuracy and how it was found. */
export interface AccuracyEffect {
  readonly effect: Effect;
  readonly paired: boolean;
  /** Examples that only the model and only the other one gets right; null where pairs are not known. */
  readonly flips: { readonly gained: number; readonly lost: number } | null;
}

const successes = ({ quality }: StageReport): Successes | null =>
  quality === null || quality.examples === 0
    ? null
    : { right: Math.round(quality.accuracy * quality.examples), n: quality.examples };

/** What the report itself says of a stage beside another of the same run. */
const recordedPairs = (stage: StageReport, versus: string) => {
  const found = stage.comparisons.find((comparison) => comparison.versus === versus);
  return found === undefined || stage.quality === null
    ? null
    : { n: stage.quality.examples, gained: found.mcnemar.gained, lost: found.mcnemar.lost };
};

/**
 * Accuracy of a stage minus that of another, of the same run or of another one: paired where both answered the same
 * examples, else from the two rates. Null where one was not evaluated.
 */
export const accuracyEffect = (model: Side, id: string, other: Side, otherId: string): AccuracyEffect | null => {
  const [stage, versus] = [stageIn(model, id), stageIn(other, otherId)];
  if (stage === undefined || versus === undefined) return null;
  const pair = pairOf(model, id, other, otherId);
  const counts =
    pair !== null
      ? pairedCounts(correctness(pair.model.scored), correctness(pair.other.scored))
      : model.report === other.report
        ? recordedPairs(stage, otherId)
        : null;
  if (counts !== null) return { effect: pairedEffect(counts), paired: true, flips: counts };
  const [mine, theirs] = [successes(stage), successes(versus)];
  return mine === null || theirs === null ? null : { effect: unpairedEffect(mine, theirs), paired: false, flips: null };
};

/** The same batch, length and threads in another stage. */
export const sameCell = (stage: StageReport | undefined, cell: LatencyReport): LatencyReport | undefined =>
  stage?.latency.find(
    ({ batch, length, threads }) => batch === cell.batch && length === cell.length && threads === cell.threads,
  );
