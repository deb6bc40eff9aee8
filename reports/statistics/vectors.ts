import { cosineOf } from '../../data/cosine.ts';
import type { Effect } from './effects.ts';
import { groupedMean } from './grouped.ts';
import { mean } from './scored.ts';

/** What a model made of every text of a split, a vector each. */
export interface Vectors {
  readonly ids: Int32Array;
  readonly width: number;
  /** (texts, width), row-major. */
  readonly values: Float32Array;
}

/** Cosine of each text's vector to the reference's. */
export const cosinesTo = (reference: Vectors, model: Vectors): Float64Array =>
  Float64Array.from(model.ids, (_, i) => cosineOf(model.values, i, reference.values, i, model.width));

/** The first texts stand for all: their pairs are 44,850. */
const TEXTS_OF_PAIRS = 300;

const pairCosines = ({ ids, width, values }: Vectors): Float64Array => {
  const texts = Math.min(ids.length, TEXTS_OF_PAIRS);
  const cosines = new Float64Array((texts * (texts - 1)) / 2);
  let at = 0;
  for (let i = 1; i < texts; i++) for (let j = 0; j < i; j++) cosines[at++] = cosineOf(values, i, values, j, width);
  return cosines;
};

/** Ranks from 0, equal values at the mean of their places. */
const ranksOf = (values: Float64Array): Float64Array => {
  const order = Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (const at of order.slice(start, end)) ranks[at] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
};

const correlation = (x: Float64Array, y: Float64Array): number => {
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  x.forEach((value, i) => {
    const [dx, dy] = [value - mx, (y[i] ?? 0) - my];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  });
  return xy / Math.sqrt(xx * yy);
};

/**
 * Spearman's rank correlation between the cosines of pairs of texts in two models: whether they find the same texts alike,
 * which is what vectors are used for, also where all of them are turned or scaled. Undefined where a model finds all texts
 * equally alike, or there are too few to compare.
 */
export const pairAgreement = (reference: Vectors, model: Vectors): number | undefined => {
  const found = correlation(ranksOf(pairCosines(reference)), ranksOf(pairCosines(model)));
  return Number.isFinite(found) ? found : undefined;
};

const each = (values: ArrayLike<number>): Int32Array => Int32Array.from({ length: values.length }, (_, i) => i);

/** A mean over texts as an effect; `against` makes it that of paired differences. */
export const meanEffect = (values: Float64Array, against?: Float64Array): Effect => {
  const paired = against === undefined ? values : values.map((value, i) => value - (against[i] ?? Number.NaN));
  const { mean: centre, error, degrees } = groupedMean(paired, each(paired));
  return { estimate: centre, centre, error, degrees, also: null };
};
