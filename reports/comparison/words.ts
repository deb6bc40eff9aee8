import { metricCalled } from '../../ground/metrics/index.ts';
import { isBetter } from '../../ground/metrics/metric.ts';
import { milliseconds, times } from '../figures.ts';
import { metricOf, written } from '../metric.ts';
import type { Comparison } from './comparison.ts';

/** How figures of what decides are written. */
export interface Words {
  readonly words: string;
  readonly title: string;
  readonly changes: string;
  write(x: number): string;
  change(x: number): string;
  /** Behind a difference. */
  readonly unit: string;
  /** Behind a figure. */
  readonly scale: string;
  isBetter(a: number, b: number): boolean;
}

const latencyWords: Words = {
  ...{ words: 'median latency', title: 'p50 ms', changes: 'ratio', unit: '', scale: ' ms' },
  write: milliseconds,
  change: (x) => `${times(x)}x`,
  isBetter: (a, b) => a < b,
};

export const wordsOf = ({ by, task }: Comparison): Words => {
  const primary = metricOf({ data: { task } });
  const metric = metricCalled(by);
  if (metric === undefined) return latencyWords;
  const {
    words,
    title,
    changes,
    write,
    writeChange,
    changeUnit,
    unit: scale,
  } = metric.name === primary.metric.name ? primary : written(metric);
  const better = (a: number, b: number): boolean => isBetter(metric, a, b);
  return { words, title, changes, write, change: writeChange, unit: changeUnit, scale, isBetter: better };
};

/** Quality stands in every table, whatever decides. */
export const qualityWords = (comparison: Comparison): Words => {
  const words = wordsOf(comparison);
  if (words !== latencyWords) return words;
  return wordsOf({ ...comparison, by: metricOf({ data: { task: comparison.task } }).metric.name });
};
