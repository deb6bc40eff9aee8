import { isKnown, type Targets, targetsOf } from '../data/answer-targets.ts';
import { isUnread, type Rows, rowOf } from '../data/rows.ts';
import { probabilityOf, thresholdOf } from '../data/sets.ts';

/** The logits of one class in falling order, and how many of the first i texts have it. */
interface Ranked {
  readonly logits: readonly number[];
  readonly hits: readonly number[];
}

/** Saying a class of its first `said` texts. */
interface Cut {
  readonly threshold: number;
  readonly said: number;
  readonly hits: number;
}

const rankedIn = (rows: Rows, targets: Targets, c: number): Ranked => {
  const texts = Array.from(rows.unread.keys())
    .filter((text) => !isUnread(rows, text) && isKnown(targets, text))
    .map((text) => ({ logit: rowOf(rows, text)[c] ?? 0, has: targetsOf(targets, text)[c] === 1 }))
    .sort((a, b) => b.logit - a.logit);
  let count = 0;
  return { logits: texts.map(({ logit }) => logit), hits: [0, ...texts.map(({ has }) => (count += Number(has)))] };
};

/** Thresholds are no nearer to 0 and 1 than this, so that their logits are finite. */
const LEAST = 1e-6;

/** A probability between those of two logits: one half where that is between them. */
const between = (above: number, below: number): number => {
  if (above > 0 && below <= 0) return thresholdOf(undefined, 0);
  const middle = Number.isFinite(above) && Number.isFinite(below) ? (above + below) / 2 : undefined;
  const logit = middle ?? (Number.isFinite(above) ? above - 1 : below + 1);
  return Math.min(1 - LEAST, Math.max(LEAST, probabilityOf(logit)));
};

const cutsOf = ({ logits, hits }: Ranked): readonly Cut[] =>
  hits.flatMap((hit, said) => {
    const [above, below] = [logits[said - 1] ?? Number.POSITIVE_INFINITY, logits[said] ?? Number.NEGATIVE_INFINITY];
    return above === below ? [] : [{ threshold: between(above, below), said, hits: hit }];
  });

const fromHalf = ({ threshold }: Cut): number => Math.abs(threshold - thresholdOf(undefined, 0));

const half: Cut = { threshold: thresholdOf(undefined, 0), said: 0, hits: 0 };

/** The cut with the most hits for what it says, 2 hits - price said; of equal ones the nearest to one half. */
const bestCut = (cuts: readonly Cut[], price: number): Cut => {
  const worth = ({ hits, said }: Cut): number => 2 * hits - price * said;
  return cuts.reduce((best, cut) => {
    const gain = worth(cut) - worth(best);
    return gain > 0 || (gain === 0 && fromHalf(cut) < fromHalf(best)) ? cut : best;
  }, cuts[0] ?? half);
};

/** Micro F1 rises with every round but the last; a handful of them has always been enough. */
const MOST_ROUNDS = 50;

/**
 * For each class the probability above which it is said, so that micro F1 = 2 hits / (said + true) over all classes is the
 * highest there is. A sum of fractions' parts: at a given F each class by itself maximises 2 hits - F said, which gives a
 * higher F, until none does (Dinkelbach 1967, "On nonlinear fractional programming"). A class that no text has keeps one half: nothing is
 * known of it.
 */
export const fitThresholds = (rows: Rows, targets: Targets): readonly number[] => {
  const classes = Array.from({ length: rows.width }, (_, c) => rankedIn(rows, targets, c));
  const cuts = classes.map((ranked) => (ranked.hits.at(-1) === 0 ? [half] : cutsOf(ranked)));
  const actual = classes.reduce((sum, { hits }) => sum + (hits.at(-1) ?? 0), 0);
  let best: readonly Cut[] = [];
  let f1 = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    best = cuts.map((some) => bestCut(some, f1));
    const sum = (count: (cut: Cut) => number): number => best.reduce((total, cut) => total + count(cut), 0);
    const next = actual === 0 ? 0 : (2 * sum(({ hits }) => hits)) / (sum(({ said }) => said) + actual);
    if (next <= f1) break;
    f1 = next;
  }
  return best.map(({ threshold }) => threshold);
};
