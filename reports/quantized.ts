import type { QuantizationReport } from '../ground/reported/quantization.ts';
import { choosesOne } from '../ground/tasks.ts';
import { metricOf } from './metric.ts';
import type { Report } from './report.ts';

/** A stage that stored its model in fewer bits. */
export interface QuantizedStage {
  readonly id: string;
  /** Of its file; undefined where nobody looked. */
  readonly bytes: number | undefined;
  readonly quantization: QuantizationReport;
}

export const quantizedStages = ({ stages }: Pick<Report, 'stages'>): readonly QuantizedStage[] =>
  stages.flatMap(({ id, model, quantization }) =>
    quantization === undefined ? [] : [{ id, bytes: model?.bytes, quantization }],
  );

/** What the loss of single weights is counted in. */
export const harmUnit = ({ data: { task } }: Pick<Report, 'data'>): string =>
  choosesOne(task) ? 'nats' : '1 - cosine';

const DIGITS = 2;

/** A loss of single weights spans powers of ten. */
export const harm = (value: number): string => `${Number(value.toPrecision(DIGITS))}`;

/** '4 bits', 'float16'. */
export const storageText = ({ storage }: { readonly storage: string }): string => {
  const bits = /^int(\d+)$/.exec(storage)?.[1];
  return bits === undefined ? storage : `${bits} bits`;
};

export const cosine = (value: number): string => value.toFixed(5);

/** The layer that is furthest from what it gave before; undefined where nobody looked. */
export const furthestLayer = ({ layers = [] }: QuantizationReport) => layers.toSorted((a, b) => a.mean - b.mean)[0];

type Drop = NonNullable<NonNullable<QuantizationReport['budget']>['curve'][number]['drop']>;

/** A loss as the change of the score that it is: '-0.1 [-0.3, +0.1] points'. */
export const changeText = ({ estimate, low, high }: Drop, report: Report): string => {
  const { metric, writeChange, changeUnit } = metricOf(report);
  const sign = metric.better === 'higher' ? -1 : 1;
  const write = (value: number | null): string => (value === null ? '-' : writeChange(sign * value));
  const ends = sign < 0 ? [high, low] : [low, high];
  return `${write(estimate)} [${ends.map(write).join(', ')}]${changeUnit}`;
};

/** Matrices by what they are stored in. */
export const storagesIn = ({ weights }: QuantizationReport): string => {
  const counts = new Map<string, number>();
  for (const weight of weights) counts.set(storageText(weight), (counts.get(storageText(weight)) ?? 0) + 1);
  return [...counts].map(([text, count]) => `${count} in ${text}`).join(', ');
};
