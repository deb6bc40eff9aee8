import type { Dataset } from '../../../data/dataset.ts';
import { columnsFor } from '../../../data/rows.ts';
import type { ModelSize } from '../../../engine/rehearsal/rehearsal.ts';
import { modelTask } from '../../../ground/tasks.ts';

const NUMBER = 4;

/** Answers about one row: of what writes texts one about each of its positions. */
export const answersOf = ({ task, maxLength }: Dataset, lengths: readonly number[] | undefined): number => {
  if (modelTask(task).reads !== 'before') return 1;
  if (lengths === undefined || lengths.length === 0) return maxLength;
  return lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
};

/** Of many numbers the largest are kept, each with what it is about. */
const keptOf = (numbers: number, keep?: number): number => {
  const columns = keep === undefined ? columnsFor(numbers) : Math.min(keep, numbers);
  return columns === numbers ? numbers : 2 * columns;
};

/**
 * Bytes of an answer: its numbers, whose it is and what it should be, and of a token where its text begins and how long it is. A
 * step may say how many numbers it keeps.
 */
export const answerBytes = ({ classes }: Dataset, size: ModelSize | undefined, config: unknown): number => {
  const keep: unknown = Object(config).keep;
  if (size?.kind !== 'decoder') return NUMBER * (keptOf(Math.max(1, classes.length)) + 2);
  return typeof keep === 'number' ? NUMBER * keptOf(size.vocabulary, keep) : NUMBER * (keptOf(size.vocabulary) + 4);
};
