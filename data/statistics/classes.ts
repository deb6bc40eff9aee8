import { type Stream, stream } from '../random.ts';
import { poisson } from './bootstrap.ts';
import { numbered } from './grouped.ts';
import type { Bounds, Interval } from './intervals.ts';
import { rateInterval, rightEffect } from './pairs.ts';
import { quantile } from './quantiles.ts';
import { correctness, mean, predictions, type Scored } from './scored.ts';

/** Scores of one class, with the interval of its F1. */
export interface ClassScores {
  readonly support: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly f1Interval: Bounds;
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Precision and recall by how often a class was rightly said, was said, and was true. */
export const ratesOf = (hits: number, said: number, support: number): Omit<ClassScores, 'f1' | 'f1Interval'> => ({
  ...{ support, precision: share(hits, said), recall: share(hits, support) },
});

export interface ClassReport {
  /** Unweighted mean of the F1 scores of the classes that occur in labels or predictions. */
  readonly macroF1: number;
  readonly macroF1Interval: Bounds;
  readonly classes: readonly ClassScores[];
}

/** Resamples: enough that a bound moves by a few per cent of the interval. */
const RESAMPLES = 1000;

/** A cell of the confusion matrix that has examples. */
interface Cell {
  readonly label: number;
  readonly predicted: number;
  readonly count: number;
}

interface Confusion {
  readonly classes: number;
  /** Of hundreds of classes few pairs are ever confused. */
  readonly cells: readonly Cell[];
  /** Cell of each example. */
  readonly own: Int32Array;
}

/** A number for each pair of classes; no answer is one class more. Thousands of classes have more pairs than 32 bits count. */
const codesOf = (scored: Scored): Float64Array => {
  const { classes, labels } = scored;
  return Float64Array.from(
    predictions(scored),
    (predicted, example) => (labels[example] ?? 0) * (classes + 1) + (predicted < 0 ? classes : predicted),
  );
};

const confusionOf = (scored: Scored): Confusion => {
  const { classes } = scored;
  const codes = codesOf(scored);
  const counts = new Map<number, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const cells = [...counts.keys()].sort((a, b) => a - b);
  const numbers = new Map(cells.map((code, number) => [code, number]));
  return {
    classes,
    cells: cells.map((code) => ({
      ...{ label: Math.floor(code / (classes + 1)), predicted: code % (classes + 1) },
      count: counts.get(code) ?? 0,
    })),
    own: Int32Array.from(codes, (code) => numbers.get(code) ?? 0),
  };
};

interface Counted {
  readonly hits: Float64Array;
  readonly claimed: Float64Array;
  readonly actual: Float64Array;
}

/** Sums of classes where the cells have so many examples. */
const counted = ({ cells, classes }: Confusion, counts: ArrayLike<number>): Counted => {
  const [hits, claimed, actual] = [new Float64Array(classes), new Float64Array(classes), new Float64Array(classes)];
  cells.forEach(({ label, predicted }, cell) => {
    const n = counts[cell] ?? 0;
    if (predicted < classes) claimed[predicted] = (claimed[predicted] ?? 0) + n;
    actual[label] = (actual[label] ?? 0) + n;
    if (predicted === label) hits[label] = n;
  });
  return { hits, claimed, actual };
};

/** F1 of every class, and their mean over the classes that occur. */
const f1Of = ({ hits, claimed, actual }: Counted): { readonly each: Float64Array; readonly macro: number } => {
  const each = new Float64Array(hits.length);
  const present: number[] = [];
  for (let c = 0; c < hits.length; c++) {
    const seen = (claimed[c] ?? 0) + (actual[c] ?? 0);
    each[c] = seen === 0 ? 0 : (2 * (hits[c] ?? 0)) / seen;
    if (seen > 0) present.push(each[c] ?? 0);
  }
  return { each, macro: present.length === 0 ? 0 : mean(present) };
};

/**
 * Draws the counts of the cells again, as if other examples had been drawn: each from a Poisson distribution of its own
 * count, which is resampling examples when their number is left free.
 */
const ofExamples =
  ({ cells }: Confusion, random: Stream) =>
  (): ArrayLike<number> =>
    cells.map(({ count }) => poisson(count, random));

/** The same where examples are words: every text is drawn a number of times of mean 1, with all of its words. */
const ofTexts = ({ cells, own }: Confusion, groups: Int32Array, random: Stream) => {
  const { own: texts, count } = numbered(groups);
  const times = new Float64Array(count);
  return (): ArrayLike<number> => {
    for (let text = 0; text < count; text++) times[text] = poisson(1, random);
    const counts = new Float64Array(cells.length);
    for (let word = 0; word < own.length; word++) {
      const cell = own[word] as number;
      counts[cell] = (counts[cell] as number) + (times[texts[word] as number] as number);
    }
    return counts;
  };
};

interface Resampled {
  readonly macro: Bounds;
  readonly each: readonly Bounds[];
}

const bounds = (values: ArrayLike<number>): Bounds => ({ low: quantile(values, 0.025), high: quantile(values, 0.975) });

/**
 * 95 % percentile intervals of a Poisson bootstrap (Efron and Tibshirani 1993; Chamandy et al. 2012). The draws are a
 * function of the counts. Of a single text nothing is known.
 */
const resampled = (confusion: Confusion, groups: Int32Array | undefined): Resampled => {
  const { classes } = confusion;
  const unknown = { low: 0, high: 1 };
  if (groups !== undefined && new Set(groups).size < 2) return { macro: unknown, each: Array(classes).fill(unknown) };
  const random = stream(0, 'bootstrap');
  const draw = groups === undefined ? ofExamples(confusion, random) : ofTexts(confusion, groups, random);
  const macros = new Float64Array(RESAMPLES);
  const each = Array.from({ length: classes }, () => new Float64Array(RESAMPLES));
  for (let i = 0; i < RESAMPLES; i++) {
    const scores = f1Of(counted(confusion, draw()));
    macros[i] = scores.macro;
    for (const [c, f1] of scores.each.entries()) (each[c] as Float64Array)[i] = f1;
  }
  return { macro: bounds(macros), each: each.map(bounds) };
};

/** Precision, recall and F1 of every class and macro-F1, with intervals over what was drawn: examples, or texts of words. */
export const classReport = (scored: Scored): ClassReport => {
  const confusion = confusionOf(scored);
  const intervals = resampled(confusion, scored.groups);
  const counts = confusion.cells.map(({ count }) => count);
  const sums = counted(confusion, counts);
  const { each: scores, macro } = f1Of(sums);
  return {
    macroF1: macro,
    macroF1Interval: intervals.macro,
    classes: Array.from(scores, (f1, c) => ({
      ...ratesOf(sums.hits[c] ?? 0, sums.claimed[c] ?? 0, sums.actual[c] ?? 0),
      f1,
      f1Interval: intervals.each[c] ?? { low: 0, high: 1 },
    })),
  };
};

/** Difference of accuracy within each class that has examples, by class number, with its paired interval. */
export const classDifferences = (model: Scored, reference: Scored): ReadonlyMap<number, Interval> => {
  const [mine, theirs] = [correctness(model), correctness(reference)];
  const members = new Map<number, number[]>();
  model.labels.forEach((label, example) => {
    const list = members.get(label) ?? [];
    list.push(example);
    members.set(label, list);
  });
  const pick = (right: Uint8Array, examples: readonly number[]): Uint8Array =>
    Uint8Array.from(examples, (example) => right[example] ?? 0);
  const groupsOf = (examples: readonly number[]): Int32Array | undefined =>
    model.groups && Int32Array.from(examples, (example) => model.groups?.[example] ?? 0);
  return new Map(
    [...members]
      .toSorted(([a], [b]) => a - b)
      .map(([label, examples]) => {
        const effect = rightEffect(pick(mine, examples), pick(theirs, examples), groupsOf(examples));
        return [label, rateInterval(effect)];
      }),
  );
};
