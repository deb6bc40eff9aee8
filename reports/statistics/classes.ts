import { type Stream, stream } from '../../data/random.ts';
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

export interface ClassReport {
  /** Unweighted mean of the F1 scores of the classes that occur in labels or predictions. */
  readonly macroF1: number;
  readonly macroF1Interval: Bounds;
  readonly classes: readonly ClassScores[];
}

/** Resamples: enough that a bound moves by a few per cent of the interval. */
const RESAMPLES = 1000;

/** (classes, classes) counts: row label, column prediction. */
const confusion = (scored: Scored): Float64Array => {
  const counts = new Float64Array(scored.classes ** 2);
  predictions(scored).forEach((c, example) => {
    const cell = (scored.labels[example] ?? 0) * scored.classes + c;
    counts[cell] = (counts[cell] ?? 0) + 1;
  });
  return counts;
};

/** A cell of the confusion matrix that has examples. */
interface Cell {
  readonly label: number;
  readonly predicted: number;
  readonly count: number;
}

/** Of hundreds of classes few pairs are ever confused. */
const cellsOf = (counts: Float64Array, classes: number): readonly Cell[] =>
  [...counts.keys()]
    .filter((at) => (counts[at] ?? 0) > 0)
    .map((at) => ({ label: Math.floor(at / classes), predicted: at % classes, count: counts[at] ?? 0 }));

interface Counted {
  readonly hits: Float64Array;
  readonly claimed: Float64Array;
  readonly actual: Float64Array;
}

const counted = (cells: readonly Cell[], classes: number, countOf: (cell: Cell) => number): Counted => {
  const [hits, claimed, actual] = [new Float64Array(classes), new Float64Array(classes), new Float64Array(classes)];
  for (const cell of cells) {
    const { label, predicted } = cell;
    const n = countOf(cell);
    claimed[predicted] = (claimed[predicted] ?? 0) + n;
    actual[label] = (actual[label] ?? 0) + n;
    if (predicted === label) hits[label] = n;
  }
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
 * A Poisson variate: by inversion for small means, one uniform number each; the rounded normal where the two agree to a
 * per cent.
 */
const poisson = (lambda: number, random: Stream): number => {
  if (lambda > 50) return Math.max(0, Math.round(lambda + Math.sqrt(lambda) * random.normal()));
  const at = random.uniform();
  let k = 0;
  let probability = Math.exp(-lambda);
  // The sum of all probabilities may stay a rounding below 1: then the terms run out.
  for (let below = probability; at > below && probability > 0; below += probability) probability *= lambda / ++k;
  return k;
};

const bounds = (values: readonly number[]): Bounds => ({ low: quantile(values, 0.025), high: quantile(values, 0.975) });

/**
 * Precision, recall and F1 of every class and macro-F1, with 95 % percentile intervals of a Poisson bootstrap: each cell
 * of the confusion matrix is redrawn from a Poisson distribution of its own count, which is resampling examples when
 * their number is left free (Efron and Tibshirani 1993; Chamandy et al. 2012). The draws are a function of the counts.
 */
export const classReport = (scored: Scored): ClassReport => {
  const { classes } = scored;
  const cells = cellsOf(confusion(scored), classes);
  const random = stream(0, 'bootstrap');
  const macros: number[] = [];
  const each: number[][] = Array.from({ length: classes }, () => []);
  for (let i = 0; i < RESAMPLES; i++) {
    const { each: scores, macro } = f1Of(counted(cells, classes, ({ count }) => poisson(count, random)));
    macros.push(macro);
    for (const [c, f1] of scores.entries()) each[c]?.push(f1);
  }
  const sums = counted(cells, classes, ({ count }) => count);
  const { each: scores, macro } = f1Of(sums);
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return {
    macroF1: macro,
    macroF1Interval: bounds(macros),
    classes: Array.from(scores, (f1, c) => ({
      support: sums.actual[c] ?? 0,
      precision: share(sums.hits[c] ?? 0, sums.claimed[c] ?? 0),
      recall: share(sums.hits[c] ?? 0, sums.actual[c] ?? 0),
      f1,
      f1Interval: bounds(each[c] ?? []),
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
