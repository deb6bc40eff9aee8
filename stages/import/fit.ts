import type { DatasetFacts } from '../../data/files.ts';
import { labelProblem } from '../../models/class-names.ts';
import { importError } from '../../models/importers/importer.ts';
import { alignLabels } from '../../models/labels.ts';
import type { Model } from '../../models/model.ts';
import { answersAlike, taskProblem } from './task.ts';

/** The model with its classes in the order of the data; an error where it was made for other data. */
export const fitLabels = (given: Model, { task, classes }: DatasetFacts): Model => {
  const made = taskProblem(given.info.task, task);
  if (made !== undefined) throw importError(made);
  const model = answersAlike(given.info.task, task) ? { ...given, info: { ...given.info, task } } : given;
  const { info } = model;
  if (info.labels.length === 0) return model;
  const problem = labelProblem(info.labels, classes);
  if (problem !== undefined) throw importError(problem);
  return alignLabels(model, classes);
};
