import type { DatasetTask, TaskName } from '../../ground/tasks.ts';

/** Why a classifier cannot be one of the data; undefined where it can. */
export const taskProblem = (model: TaskName, data: DatasetTask): string | undefined =>
  model === data
    ? undefined
    : `the checkpoint is made for ${model}, the data for ${data}: 'head: new' takes its encoder alone`;
