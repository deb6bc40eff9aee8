import { isKnown, type Targets, targetsOf } from '../data/answer-targets.ts';
import { isUnread, type Rows, rowOf } from '../data/rows.ts';
import { probabilityOf, thresholdOf } from '../data/sets.ts';

/** A text's logit of one class, and whether the text has it. */
interface Seen {
  readonly logit: number;
  readonly has: boolean;
}

const seenOf = (rows: Rows, targets: Targets, c: number): readonly Seen[] =>
  Array.from({ length: rows.unread.length }, (_, answer) => answer).flatMap((answer) =>
    isUnread(rows, answer) || !isKnown(targets, answer)
      ? []
      : [{ logit: rowOf(rows, answer)[c] ?? 0, has: targetsOf(targets, answer)[c] === 1 }],
  );

/**
 * The threshold with the best F1 of a class, 2 hits / (said + true): between two neighbouring probabilities, and of equally
 * good ones the nearest to one half. A class that no text has keeps one half: nothing is known of it.
 */
const bestThreshold = (seen: readonly Seen[]): number => {
  const half = thresholdOf(undefined, 0);
  const sorted = seen.toSorted((a, b) => b.logit - a.logit);
  const actual = sorted.filter(({ has }) => has).length;
  let best = { f1: 0, threshold: half };
  let hits = 0;
  sorted.forEach(({ logit, has }, i) => {
    hits += Number(has);
    const next = sorted[i + 1]?.logit ?? Number.NEGATIVE_INFINITY;
    if (next === logit) return;
    const f1 = (2 * hits) / (i + 1 + actual);
    const threshold = between(logit, next);
    const nearer = Math.abs(threshold - half) < Math.abs(best.threshold - half);
    if (actual > 0 && (f1 > best.f1 || (f1 === best.f1 && nearer))) best = { f1, threshold };
  });
  return best.threshold;
};

/** Thresholds are no nearer to 0 and 1 than this: a class is never said of everything whatever a model says. */
const LEAST = 0.001;

/** A probability between those of two logits: one half where that is between them. */
const between = (above: number, below: number): number => {
  const middle = below < 0 && above > 0 ? 0.5 : probabilityOf(Number.isFinite(below) ? (above + below) / 2 : above - 1);
  return Math.min(1 - LEAST, Math.max(LEAST, middle));
};

/** For each class the probability above which it is best said, by texts that the model was not trained on (Lipton et al. 2014, arXiv 1402.1892). */
export const fitThresholds = (rows: Rows, targets: Targets): readonly number[] =>
  Array.from({ length: rows.width }, (_, c) => bestThreshold(seenOf(rows, targets, c)));
