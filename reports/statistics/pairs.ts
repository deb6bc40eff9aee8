import { type Interval, Z95 } from './intervals.ts';
import { correctness, logProbabilities, mean, predictions, type Scored } from './scored.ts';

/** Throws where two models were not scored on the same examples in the same order. */
export const expectPaired = (a: Scored, b: Scored): void => {
  const same = a.labels.length === b.labels.length && a.labels.every((label, i) => label === b.labels[i]);
  if (!same) {
    throw new Error(
      `two models were scored on different examples (${a.labels.length} and ${b.labels.length}): only equal ones compare`,
    );
  }
};

/** Share of examples on which two models predict the same class. */
export const agreement = (a: Scored, b: Scored): number => {
  const [first, second] = [predictions(a), predictions(b)];
  return mean(Array.from(first, (c, example) => (c === second[example] ? 1 : 0)));
};

/** Mean KL(reference || model) over examples, in nats. */
export const divergence = (reference: Scored, model: Scored): number =>
  mean(
    Array.from(reference.labels, (_, example) => {
      const p = logProbabilities(reference.logits, reference.classes, example);
      const q = logProbabilities(model.logits, model.classes, example);
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
 * Difference of two accuracies on the same examples with its 95 % interval: the adjusted Wald interval for paired
 * proportions of Bonett and Price (2012), which adds one imagined disagreement in each direction.
 */
export const pairedInterval = ({ n, gained, lost }: PairedCounts): Interval => {
  const [p, q] = [(gained + 1) / (n + 2), (lost + 1) / (n + 2)];
  const half = Z95 * Math.sqrt((p + q - (p - q) ** 2) / (n + 2));
  return {
    estimate: n === 0 ? 0 : (gained - lost) / n,
    low: Math.max(-1, p - q - half),
    high: Math.min(1, p - q + half),
  };
};

export const pairedDifference = (model: Scored, reference: Scored): Interval =>
  pairedInterval(pairedCounts(correctness(model), correctness(reference)));
