import type { DatasetTask } from '../data/dataset.ts';
import { cosine, cosineChange, percent, points } from './figures.ts';

/** How people read the quality of a task's models: its primary metric and what it is taken over. */
export interface Metric {
  /** As it stands in a sentence, in the heading of a column, and in gates. */
  readonly name: string;
  readonly title: string;
  readonly figure: 'accuracy' | 'cosine';
  write(x: number): string;
  /** Behind a figure. */
  readonly unit: string;
  /** Heading and unit of differences. */
  readonly changes: string;
  writeChange(x: number): string;
  readonly changeUnit: string;
  /** What is counted right or wrong, or compared. */
  readonly examples: string;
  /** What a model is given. */
  readonly inputs: string;
  /** What a picture's axis shows: percent, or the figure itself. */
  readonly scale: number;
}

const accuracy: Metric = {
  name: 'accuracy',
  title: 'accuracy %',
  figure: 'accuracy',
  write: percent,
  unit: ' %',
  changes: 'points',
  writeChange: points,
  changeUnit: ' points',
  examples: 'texts',
  inputs: 'texts',
  scale: 100,
};

const metrics: Readonly<Record<DatasetTask, Metric>> = {
  'text-classification': accuracy,
  'token-classification': {
    ...accuracy,
    name: 'word accuracy',
    title: 'word accuracy %',
    examples: 'words',
    inputs: 'sentences',
  },
  features: {
    name: 'cosine to the teacher',
    title: 'cosine to teacher',
    figure: 'cosine',
    write: cosine,
    unit: '',
    changes: 'difference',
    writeChange: cosineChange,
    changeUnit: '',
    examples: 'texts',
    inputs: 'texts',
    scale: 1,
  },
};

/** The metric of a report, by the task of its data. */
export const metricOf = ({ data: { task } }: { readonly data: { readonly task: DatasetTask } }): Metric =>
  metrics[task];
