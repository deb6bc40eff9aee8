import { f1Of } from '../../ground/metrics/sets.ts';
import { type Stream, stream } from '../random.ts';
import { probabilityOf } from '../sets.ts';
import { poisson } from './bootstrap.ts';
import { type ClassScores, ratesOf } from './classes.ts';
import type { Bounds, Interval } from './intervals.ts';
import { quantile } from './quantiles.ts';
import { mean } from './scored.ts';

/** What a model said of texts that each have some of the classes, (texts, classes) row by row. */
export interface Sets {
  readonly classes: number;
  readonly logits: Float32Array;
  /** 1 for each class that was said, and for each that a text has. */
  readonly said: ArrayLike<number>;
  readonly truth: ArrayLike<number>;
}

const countOf = ({ classes, truth }: Sets): number => truth.length / Math.max(1, classes);

/** Resamples: enough that a bound moves by a few per cent of the interval. */
const RESAMPLES = 1000;

const bounds = (values: ArrayLike<number>): Bounds => ({ low: quantile(values, 0.025), high: quantile(values, 0.975) });

/** How many texts have each combination of bits of one class: what was said first, then what else was, then the truth. */
const cellsOf = (columns: readonly ArrayLike<number>[], classes: number, c: number): Float64Array => {
  const cells = new Float64Array(2 ** columns.length);
  const [first] = columns;
  for (let at = c; at < (first?.length ?? 0); at += classes) {
    const code = columns.reduce((bits, column) => 2 * bits + (column[at] ?? 0), 0);
    cells[code] = (cells[code] ?? 0) + 1;
  }
  return cells;
};

/** Texts drawn again, each from a Poisson distribution of mean 1: so many of each combination. */
const redrawn = (cells: Float64Array, random: Stream): Float64Array => cells.map((count) => poisson(count, random));

/** F1 of one of the models whose bits the cells count. */
const f1In = (cells: Float64Array, saidBit: number): number => {
  const sums = { hits: new Float64Array(1), said: new Float64Array(1), true: new Float64Array(1) };
  cells.forEach((count, code) => {
    const [claim, fact] = [(code >> saidBit) & 1, code & 1];
    sums.said[0] = (sums.said[0] ?? 0) + count * claim;
    sums.true[0] = (sums.true[0] ?? 0) + count * fact;
    sums.hits[0] = (sums.hits[0] ?? 0) + count * claim * fact;
  });
  return f1Of(sums).each[0] ?? 0;
};

/** Precision, recall and F1 of each class, with 95 % percentile intervals of a Poisson bootstrap over the texts. */
export const setClasses = (sets: Sets): readonly ClassScores[] => {
  const random = stream(0, 'bootstrap', 'classes');
  return Array.from({ length: sets.classes }, (_, c) => {
    const cells = cellsOf([sets.said, sets.truth], sets.classes, c);
    const [, missed = 0, wrong = 0, hits = 0] = cells;
    const draws = Float64Array.from({ length: RESAMPLES }, () => f1In(redrawn(cells, random), 1));
    return {
      ...ratesOf(hits, hits + wrong, hits + missed),
      ...{ f1: f1In(cells, 1), f1Interval: bounds(draws) },
    };
  });
};

/** Difference of the F1 of each class that texts have, by its number, with its paired interval. */
export const setClassDifferences = (model: Sets, other: Sets): ReadonlyMap<number, Interval> => {
  const random = stream(0, 'bootstrap', 'differences');
  const differences = new Map<number, Interval>();
  for (let c = 0; c < model.classes; c++) {
    const cells = cellsOf([model.said, other.said, model.truth], model.classes, c);
    if (cells.every((count, code) => count === 0 || code % 2 === 0)) continue;
    const difference = (some: Float64Array): number => f1In(some, 2) - f1In(some, 1);
    const draws = Float64Array.from({ length: RESAMPLES }, () => difference(redrawn(cells, random)));
    differences.set(c, { estimate: difference(cells), ...bounds(draws) });
  }
  return differences;
};

const everyText = ({ classes, ...sets }: Sets, holds: (at: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: countOf({ classes, ...sets }) }, (_, text) => {
    for (let at = text * classes; at < (text + 1) * classes; at++) if (!holds(at)) return 0;
    return 1;
  });

/** 1 where all classes of a text are right. */
export const wholeRight = (sets: Sets): Uint8Array => everyText(sets, (at) => sets.said[at] === sets.truth[at]);

/** Share of texts of which two models say the same set. */
export const setAgreement = (a: Sets, b: Sets): number => mean(everyText(a, (at) => a.said[at] === b.said[at]));

/** log of the probability of a bit. */
const logOf = (logit: number, bit: number): number =>
  Math.log(Math.max(1e-12, probabilityOf(bit === 1 ? logit : -logit)));

const sumOver = ({ classes }: Sets, text: number, term: (at: number) => number): number => {
  let sum = 0;
  for (let at = text * classes; at < (text + 1) * classes; at++) sum += term(at);
  return sum;
};

/** Mean KL(reference || model) over texts, in nats: the sum of those of the classes, which are told apart from each other. */
export const setDivergence = (reference: Sets, model: Sets): number =>
  mean(
    Array.from({ length: countOf(reference) }, (_, text) =>
      sumOver(reference, text, (at) => {
        const [t = 0, z = 0] = [reference.logits[at], model.logits[at]];
        const p = probabilityOf(t);
        return p * (logOf(t, 1) - logOf(z, 1)) + (1 - p) * (logOf(t, 0) - logOf(z, 0));
      }),
    ),
  );

/** A text whose set one model has right and the other wrong, by its row, and how much more the right one believes in it, in nats. */
export interface FlippedSet {
  readonly text: number;
  readonly gained: boolean;
  readonly margin: number;
}

/** Every text that changed, the clearest first. */
export const flippedSets = (model: Sets, before: Sets): readonly FlippedSet[] => {
  const [right, was] = [wholeRight(model), wholeRight(before)];
  const belief = (sets: Sets, text: number): number =>
    sumOver(sets, text, (at) => logOf(sets.logits[at] ?? 0, sets.truth[at] ?? 0));
  return Array.from(right.keys())
    .filter((text) => right[text] !== was[text])
    .map((text) => ({ text, gained: right[text] === 1, margin: Math.abs(belief(model, text) - belief(before, text)) }))
    .sort((a, b) => b.margin - a.margin || a.text - b.text);
};

/** Numbers of the classes that a column has of a text. */
export const membersOf = ({ classes }: Sets, column: ArrayLike<number>, text: number): readonly number[] =>
  Array.from({ length: classes }, (_, c) => c).filter((c) => column[text * classes + c] === 1);
