import { UserError } from '../../ground/errors.ts';
import { type Effect, intervalOf } from './effects.ts';
import { groupedMean } from './grouped.ts';
import type { Interval } from './intervals.ts';
import { correctness, logProbabilities, mean, predictions, type Scored } from './scored.ts';

/** Intervals of reports hold the true figure in 95 of 100 test splits. */
const ALPHA = 0.05;

/** Throws where two models were not scored on the same examples in the same order. */
export const expectPaired = (a: Scored, b: Scored): void => {
  const same = a.labels.length === b.labels.length && a.labels.every((label, i) => label === b.labels[i]);
  if (!same) {
    throw new UserError(
      `two models were scored on different examples (${a.labels.length} and ${b.labels.length}): only equal ones compare; run the pipeline again`,
    );
  }
};

/** Share of examples on which two models predict the same class. */
export const agreement = (a: Scored, b: Scored): number => {
  const [first, second] = [predictions(a), predictions(b)];
  return mean(first.map((c, example) => (c === second[example] ? 1 : 0)));
};

/** Mean KL(reference || model) over examples, in nats. */
export const divergence = (reference: Scored, model: Scored): number =>
  mean(
    Array.from(reference.labels, (_, example) => {
      const p = logProbabilities(reference, example);
      const q = logProbabilities(model, example);
      return p.reduce((sum, logP, c) => sum + Math.exp(logP) * (logP - (q[c] ?? 0)), 0);
    }),
  );

/** Examples in all, those that only the model gets right, and those that only the other one does. */
export interface PairedCounts {
  readonly n: number;
  readonly gained: number;
  readonly lost: number;
}

export const pairedCounts = (mine: Uint8Array, theirs: Uint8Array): PairedCounts => {
  let gained = 0;
  let lost = 0;
  mine.forEach((right, example) => {
    const wasRight = theirs[example] ?? 0;
    if (right > wasRight) gained++;
    if (right < wasRight) lost++;
  });
  return { n: mine.length, gained, lost };
};

/**
 * Difference of two accuracies on the same examples: the adjusted Wald estimate for paired proportions of Bonett and Price
 * (2012), which adds one imagined disagreement in each direction.
 */
export const pairedEffect = ({ n, gained, lost }: PairedCounts): Effect => {
  const [p, q] = [(gained + 1) / (n + 2), (lost + 1) / (n + 2)];
  return {
    estimate: n === 0 ? 0 : (gained - lost) / n,
    centre: p - q,
    error: Math.sqrt((p + q - (p - q) ** 2) / (n + 2)),
    degrees: Number.POSITIVE_INFINITY,
    also: null,
  };
};

/** Right answers of so many. */
export interface Successes {
  readonly right: number;
  readonly n: number;
}

/**
 * Difference of two accuracies on different examples: Agresti and Caffo's (2000) adjusted Wald estimate, which adds one
 * success and one failure to each. Wider than the paired one by what the examples have in common.
 */
export const unpairedEffect = (model: Successes, other: Successes): Effect => {
  const adjusted = ({ right, n }: Successes): number => (right + 1) / (n + 2);
  const variance = (side: Successes): number => (adjusted(side) * (1 - adjusted(side))) / (side.n + 2);
  const rate = ({ right, n }: Successes): number => (n === 0 ? 0 : right / n);
  const centre = adjusted(model) - adjusted(other);
  return {
    ...{ estimate: rate(model) - rate(other), centre, also: null },
    error: Math.sqrt(variance(model) + variance(other)),
    degrees: Number.POSITIVE_INFINITY,
  };
};

/**
 * The same of words, which stand in texts: texts are what was drawn at random, so the error is that between texts. As
 * above, one imagined disagreement in each direction is added, each in a text of its own.
 */
const groupedEffect = (mine: Uint8Array, theirs: Uint8Array, groups: Int32Array): Effect => {
  const differences = Float64Array.from(mine, (right, i) => right - (theirs[i] ?? 0));
  const last = groups.reduce((most, group) => Math.max(most, group), 0);
  const grouped = groupedMean([...differences, 1, -1], [...groups, last + 1, last + 2]);
  const { mean: centre, error, degrees } = grouped;
  return { estimate: mine.length === 0 ? 0 : mean(differences), centre, error, degrees, also: null };
};

/** Difference of two accuracies from what each got right of the same examples. */
export const rightEffect = (mine: Uint8Array, theirs: Uint8Array, groups: Int32Array | undefined): Effect =>
  groups === undefined ? pairedEffect(pairedCounts(mine, theirs)) : groupedEffect(mine, theirs, groups);

/** The 95 % interval of a difference of rates. */
export const rateInterval = (effect: Effect): Interval => {
  const { estimate, low, high } = intervalOf(effect, ALPHA);
  return { estimate, low: Math.max(-1, low), high: Math.min(1, high) };
};

/** Accuracy of one model minus that of another on the same examples. */
export const differenceEffect = (model: Scored, reference: Scored): Effect =>
  rightEffect(correctness(model), correctness(reference), model.groups);

export const pairedDifference = (model: Scored, reference: Scored): Interval =>
  rateInterval(differenceEffect(model, reference));
