import { figureOf, type Judged, type Metric } from '../../ground/metrics/metric.ts';
import { statisticBounds, statisticEffect } from './bootstrap.ts';
import { type Effect, intervalOf } from './effects.ts';
import { effectiveExamples, groupedMean } from './grouped.ts';
import { type Bounds, type Interval, wilson } from './intervals.ts';
import { rightEffect } from './pairs.ts';

/** Intervals of reports hold the true figure in 95 of 100 test splits. */
const ALPHA = 0.05;

/** A metric over judged answers, with its 95 % interval. */
export interface Figure {
  readonly value: number;
  readonly interval: Bounds;
}

const unbounded: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

const each = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

/** A mean over texts as an effect; `against` makes it that of paired differences. */
const meanEffect = (values: ArrayLike<number>, { count, groups }: Judged, against?: ArrayLike<number>): Effect => {
  const paired =
    against === undefined ? values : Float64Array.from(values, (value, i) => value - (against[i] ?? Number.NaN));
  const { mean: centre, error, degrees } = groupedMean(paired, groups ?? each(count));
  return { estimate: centre, centre, error, degrees, also: null };
};

const within = ({ low, high }: Bounds, most: number): Bounds => ({
  low: Math.max(-most, low),
  high: Math.min(most, high),
});

/** How many independent answers would say as much about a rate; all of them for other metrics. */
export const effectiveCount = ({ measure }: Metric, judged: Judged): number =>
  measure.kind === 'rate' ? effectiveExamples(Uint8Array.from(measure.values(judged)), judged.groups) : judged.count;

const rateBounds = (rate: number, n: number): Bounds => wilson(rate * n, n);

/** Wilson's interval of a rate, Student's of another mean, the bootstrap's of what is no mean. */
const boundsOf = (metric: Metric, judged: Judged, value: number): Bounds => {
  const { measure } = metric;
  switch (measure.kind) {
    case 'rate':
      return rateBounds(value, effectiveCount(metric, judged));
    case 'mean':
      // Of nothing there is no mean to put an interval around.
      return judged.count === 0 ? unbounded : intervalOf(meanEffect(measure.values(judged), judged), ALPHA);
    case 'statistic':
      return statisticBounds(measure.of, judged);
  }
};

/** What a metric is over answers. */
export const judgedFigure = (metric: Metric, judged: Judged): Figure => {
  const value = figureOf(metric, judged);
  return { value, interval: within(boundsOf(metric, judged, value), metric.scale.most) };
};

/** A metric of one model minus that of another on the same answers. */
export const metricEffect = ({ measure }: Metric, model: Judged, other: Judged): Effect => {
  if (measure.kind === 'statistic') return statisticEffect(measure.of, model, other);
  const [mine, theirs] = [measure.values(model), measure.values(other)];
  return measure.kind === 'rate'
    ? rightEffect(Uint8Array.from(mine), Uint8Array.from(theirs), model.groups)
    : meanEffect(mine, model, theirs);
};

/** An interval within what figures of a metric, and their differences, can be. */
export const bounded = ({ scale }: Metric, { estimate, ...bounds }: Interval): Interval => ({
  estimate,
  ...within(bounds, scale.most),
});

/** The 95 % interval of a difference. */
export const effectInterval = (metric: Metric, effect: Effect): Interval => bounded(metric, intervalOf(effect, ALPHA));
