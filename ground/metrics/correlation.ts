import { column, type Judged, meanOf, type Times } from './metric.ts';

/** Of a mean: what rounding leaves of the deviation of equal numbers, and no numbers that differ have. */
const ROUNDING = 1e-12;

/** Pearson's correlation of two columns; NaN where one of them is constant. */
export const correlation = (x: ArrayLike<number>, y: ArrayLike<number>, times?: Times): number => {
  const [mx, my] = [meanOf(x, times), meanOf(y, times)];
  let [xy, xx, yy, count] = [0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy, n] = [(x[i] as number) - mx, (y[i] as number) - my, times === undefined ? 1 : (times[i] as number)];
    xy += n * dx * dy;
    xx += n * dx * dx;
    yy += n * dy * dy;
    count += n;
  }
  const varies = (squares: number, mean: number): boolean => Math.sqrt(squares / count) > ROUNDING * Math.abs(mean);
  return varies(xx, mx) && varies(yy, my) ? xy / Math.sqrt(xx * yy) : Number.NaN;
};

/** Indices of values from the smallest to the largest: what no number of times changes, so that it is found once. */
const orders = new WeakMap<object, Int32Array>();

const orderOf = (values: ArrayLike<number>): Int32Array => {
  const before = orders.get(values);
  if (before !== undefined) return before;
  const order = Int32Array.from({ length: values.length }, (_, i) => i);
  order.sort((a, b) => (values[a] as number) - (values[b] as number));
  orders.set(values, order);
  return order;
};

/** Ranks from 0, equal values at the mean of their places; a value that counts n times takes n places. */
const ranksOf = (values: ArrayLike<number>, times?: Times): Float64Array => {
  const order = orderOf(values);
  const ranks = new Float64Array(values.length);
  let place = 0;
  for (let start = 0; start < order.length; ) {
    const value = values[order[start] as number];
    let [end, width] = [start, 0];
    while (end < order.length && values[order[end] as number] === value) {
      width += times === undefined ? 1 : (times[order[end] as number] as number);
      end++;
    }
    for (let i = start; i < end; i++) ranks[order[i] as number] = place + (width - 1) / 2;
    place += width;
    start = end;
  }
  return ranks;
};

/** Pearson's correlation of what a model said and what is true. */
export const pearsonOf = (judged: Judged, times?: Times): number =>
  correlation(column(judged, 'said'), column(judged, 'truth'), times);

/** Spearman's: that of their ranks, equal values sharing theirs (Spearman 1904). */
export const spearmanOf = (judged: Judged, times?: Times): number =>
  correlation(ranksOf(column(judged, 'said'), times), ranksOf(column(judged, 'truth'), times), times);
