/** How a figure is written: as a rate in per cent, or as it is. */
export interface Scale {
  /** Behind a figure: ' %', ' nats'. */
  readonly unit: string;
  /** In the heading of a column, behind the metric: ' %'. */
  readonly heading: string;
  /** What is shown is the figure times this. */
  readonly factor: number;
  readonly digits: number;
  /** What differences are called over their column, and their unit behind a figure: 'points', ' points'. */
  readonly changes: string;
  readonly changeUnit: string;
  /** Figures, and differences, lie between this and its negative; infinite where they are not bounded. */
  readonly most: number;
  /** What gates take: a share such as 79% or 0.79, or a plain number; and an example of each. */
  readonly gate: { readonly kind: 'rate' | 'number'; readonly value: string; readonly change: string };
}

export const percent: Scale = {
  ...{ unit: ' %', heading: ' %', factor: 100, digits: 1, changes: 'points', changeUnit: ' points', most: 1 },
  gate: { kind: 'rate', value: '79%', change: '0.5pt' },
};

/** A number without a unit. */
export const plain = (digits: number, most: number, value: string, change: string): Scale => ({
  ...{ unit: '', heading: '', factor: 1, digits, changes: 'difference', changeUnit: '', most },
  gate: { kind: 'number', value, change },
});

export const nats: Scale = {
  ...{ unit: ' nats', heading: '', factor: 1, digits: 3, changes: 'difference', changeUnit: ' nats' },
  most: Number.POSITIVE_INFINITY,
  gate: { kind: 'number', value: '2.5', change: '0.02' },
};

/**
 * Answers that were judged, as columns of numbers: one number an answer, or as many as there are classes, row after row.
 * Which columns there are is a matter of what answers are (see Answer).
 */
export interface Judged {
  readonly count: number;
  readonly columns: Readonly<Record<string, ArrayLike<number>>>;
  /** Text of each answer, where several are about one text: texts are what was drawn at random. */
  readonly groups?: Int32Array | undefined;
}

/** What a metric is computed from, for messages about one that is not there. */
export const column = ({ columns }: Judged, name: string): ArrayLike<number> => {
  const values = columns[name];
  if (values === undefined) {
    throw new Error(`a metric reads the column "${name}" of answers that have ${Object.keys(columns).join(', ')}`);
  }
  return values;
};

/** How often each answer counts: once, or as often as it was drawn. */
export type Times = ArrayLike<number> | undefined;

/**
 * How a metric comes about. A rate is a mean of answers that are right (1) or wrong (0), a mean one of any numbers; a
 * statistic is what no mean is, computed of answers each of which counts a number of times.
 */
type Measure =
  | { readonly kind: 'rate' | 'mean'; values(judged: Judged): ArrayLike<number> }
  | { readonly kind: 'statistic'; of(judged: Judged, times?: Times): number };

/** One figure of quality. */
export interface Metric {
  /** As report.json, gates and diffs call it. */
  readonly name: string;
  /** In a sentence: 'macro F1'. */
  readonly words: string;
  /** Over a column, without the unit; the same as in a sentence where it is left out. */
  readonly title?: string;
  readonly scale: Scale;
  readonly better: 'higher' | 'lower';
  readonly measure: Measure;
  /** What it is computed of: judged answers, or pairs of texts as two models find them alike. */
  readonly over?: 'pairs';
  /** Whether it is told alone, without an interval. */
  readonly alone?: boolean;
  /** Whether tables leave it to the page. */
  readonly aside?: boolean;
  /** The metric's type in model cards of the hub; its name where it is left out. */
  readonly hub?: string;
}

/** Pairs of texts are no examples, so that nothing bounds a figure over them: no gate can ask for one. */
export const canBeLimited = ({ over }: Pick<Metric, 'over'>): boolean => over !== 'pairs';

/** Whether one figure of a metric is better than another; what is no number is worse than any. */
export const isBetter = ({ better }: Pick<Metric, 'better'>, a: number, b: number): boolean =>
  Number.isNaN(b) ? !Number.isNaN(a) : better === 'higher' ? a > b : a < b;

/** The end at which figures of a metric are bad. */
export const worseEnd = ({ better }: Pick<Metric, 'better'>): 'higher' | 'lower' =>
  better === 'higher' ? 'lower' : 'higher';

const plainMean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
};

const weightedMean = (values: ArrayLike<number>, times: ArrayLike<number>): number => {
  let [sum, count] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    sum += (values[i] as number) * (times[i] as number);
    count += times[i] as number;
  }
  return sum / count;
};

/** Mean of values that count a number of times each; NaN of none. */
export const meanOf = (values: ArrayLike<number>, times?: Times): number =>
  times === undefined ? plainMean(values) : weightedMean(values, times);

/** The figure of a metric over judged answers; NaN where there are none. */
export const figureOf = ({ measure }: Metric, judged: Judged): number =>
  measure.kind === 'statistic' ? measure.of(judged) : meanOf(measure.values(judged));
