import { type Metric, metricCalled } from '../ground/metrics/index.ts';
import { writing } from '../ground/metrics/written.ts';
import { type DatasetTask, dataTask } from '../ground/tasks.ts';
import type { Report, TrainingReport } from './report.ts';

/** How people read a metric. */
export interface Written {
  readonly metric: Metric;
  /** As it stands in a sentence, and in gates. */
  readonly words: string;
  /** In the heading of a column. */
  readonly title: string;
  write(x: number): string;
  /** Behind a figure. */
  readonly unit: string;
  /** Heading and unit of differences. */
  readonly changes: string;
  writeChange(x: number): string;
  readonly changeUnit: string;
  /** What a picture's axis shows: percent, or the figure itself. */
  readonly factor: number;
}

/** How people read the quality of a task's models: its primary metric and what it is taken over. */
export interface Primary extends Written {
  /** What is counted right or wrong, or compared. */
  readonly examples: string;
  /** What a model is given. */
  readonly inputs: string;
  readonly more: readonly Written[];
  /** Whether figures of each class are told beside those of all. */
  readonly tellsClasses: boolean;
  /** What is compared of each class. */
  readonly ofClasses: string;
  /** Whether figures are told as a share of right answers. */
  readonly isRate: boolean;
  /** Whether the reference has the best figure by its nature: the difference from it says nothing new. */
  readonly isToReference: boolean;
}

/** A metric as people read it; under its own name, or as a task calls it. */
export const written = (metric: Metric, words = metric.words): Written => {
  const { unit, heading, changes, changeUnit, factor } = metric.scale;
  const title = `${words === metric.words ? (metric.title ?? words) : words}${heading}`;
  return { metric, words, title, unit, changes, changeUnit, factor, ...writing(metric.scale) };
};

/** How people read scores of training: as the data's where it is for the task of the data. */
export const trainingMetric = (report: Report, { metric: name }: Pick<TrainingReport, 'metric'>): Written => {
  const primary = metricOf(report);
  const metric = name === undefined ? undefined : metricCalled(name);
  return metric === undefined || name === primary.metric.name ? primary : written(metric);
};

/** The metrics of a report, by the task of its data. */
export const metricOf = ({ data: { task } }: { readonly data: { readonly task: DatasetTask } }): Primary => {
  const { metric, more, words, truth, answer } = dataTask(task);
  return {
    ...written(metric, words.metric),
    ...{ examples: words.examples, inputs: words.inputs, more: more.map((one) => written(one)) },
    tellsClasses: answer === 'set',
    ofClasses: answer === 'set' ? 'Difference in the F1 of each class' : 'Difference within each class',
    ...{ isRate: metric.measure.kind === 'rate', isToReference: truth === 'teacher' },
  };
};
