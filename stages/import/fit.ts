import type { DatasetTask } from '../../data/dataset.ts';
import type { DatasetFacts } from '../../data/files.ts';
import { importError } from '../../models/importers/importer.ts';
import { alignLabels, labelProblem } from '../../models/labels.ts';
import type { Model, TaskName } from '../../models/model.ts';

/** Why a classifier cannot be one of the data; undefined where it can. */
export const taskProblem = (model: TaskName, data: DatasetTask): string | undefined =>
  model === data
    ? undefined
    : `the checkpoint is made for ${model}, the data for ${data}: 'head: new' takes its encoder alone`;

/** The model with its classes in the order of the data; an error where it was made for other data. */
export const fitLabels = (model: Model, { task, classes }: DatasetFacts): Model => {
  const { info } = model;
  if (info.labels.length === 0) return model;
  const made = taskProblem(info.task, task);
  if (made !== undefined) throw importError(made);
  const problem = labelProblem(info.labels, classes);
  if (problem !== undefined) throw importError(problem);
  return alignLabels(model, classes);
};
