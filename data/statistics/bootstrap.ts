import type { Judged, Times } from '../../ground/metrics/metric.ts';
import { type Stream, stream } from '../random.ts';
import type { Effect } from './effects.ts';
import { numbered } from './grouped.ts';
import type { Bounds } from './intervals.ts';
import { quantile } from './quantiles.ts';
import { mean } from './scored.ts';

/** Resamples: enough that a bound moves by a few per cent of the interval. */
const RESAMPLES = 1000;

/**
 * A Poisson variate: by inversion for small means, one uniform number each; the rounded normal where the two agree to a
 * per cent.
 */
export const poisson = (lambda: number, random: Stream): number => {
  if (lambda > 50) return Math.max(0, Math.round(lambda + Math.sqrt(lambda) * random.normal()));
  const at = random.uniform();
  let k = 0;
  let probability = Math.exp(-lambda);
  // The sum of all probabilities may stay a rounding below 1: then the terms run out.
  for (let below = probability; at > below && probability > 0; below += probability) probability *= lambda / ++k;
  return k;
};

/** What was drawn at random: answers, or texts with all of their answers. */
interface Sample {
  readonly own: Int32Array;
  readonly count: number;
}

const sampleOf = ({ count, groups }: Judged): Sample =>
  groups === undefined ? { own: Int32Array.from({ length: count }, (_, i) => i), count } : numbered(groups);

/** Draws of this many examples are kept: those of a run's models are all the same. */
const MOST_KEPT = 64 * 1024 * 1024;
let kept: { readonly count: number; readonly drawn: Uint8Array } | undefined;

/** How often each of so many examples is drawn, resample after resample: a function of their number alone. */
function* drawsOf(count: number): Generator<Uint8Array> {
  if (kept?.count === count) {
    for (let at = 0; at < kept.drawn.length; at += count) yield kept.drawn.subarray(at, at + count);
    return;
  }
  const keeps = count * RESAMPLES <= MOST_KEPT;
  const all = new Uint8Array(keeps ? count * RESAMPLES : count);
  const random = stream(0, 'bootstrap');
  for (let i = 0; i < RESAMPLES; i++) {
    const drawn = keeps ? all.subarray(i * count, (i + 1) * count) : all;
    for (let one = 0; one < count; one++) drawn[one] = poisson(1, random);
    yield drawn;
  }
  if (keeps) kept = { count, drawn: all };
}

/** How often each answer counts in each resample: the same for every model that is judged by the same examples. */
function* draws({ own, count }: Sample): Generator<Times> {
  const times = new Float64Array(own.length);
  for (const drawn of drawsOf(count)) {
    for (let answer = 0; answer < own.length; answer++) times[answer] = drawn[own[answer] as number] as number;
    yield times;
  }
}

type Statistic = (judged: Judged, times?: Times) => number;

/** A statistic in every resample in which it is a number. */
const resampled = (judged: Judged, of: (times: Times) => number): Float64Array => {
  const values: number[] = [];
  for (const times of draws(sampleOf(judged))) values.push(of(times));
  return Float64Array.from(values.filter(Number.isFinite));
};

const unknown: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/**
 * 95 % percentile interval of a statistic by a Poisson bootstrap over what was drawn (Efron and Tibshirani 1993; Chamandy
 * et al. 2012). Of a single text, or of none, nothing is known.
 */
export const statisticBounds = (of: Statistic, judged: Judged): Bounds => {
  if (sampleOf(judged).count < 2) return unknown;
  const values = resampled(judged, (times) => of(judged, times));
  return values.length < 2 ? unknown : { low: quantile(values, 0.025), high: quantile(values, 0.975) };
};

/**
 * A statistic of one model minus that of another on the same answers: both are computed of the same resamples, so what
 * their examples have in common cancels. The error is the deviation of the differences.
 */
export const statisticEffect = (of: Statistic, model: Judged, other: Judged): Effect => {
  const estimate = of(model) - of(other);
  const { count } = sampleOf(model);
  const values = count < 2 ? new Float64Array() : resampled(model, (times) => of(model, times) - of(other, times));
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  const error = values.length < 2 ? Number.POSITIVE_INFINITY : Math.sqrt(variance);
  return { estimate, centre: estimate, error, degrees: Math.max(1, count - 1), also: null };
};
