import type { DatasetFacts } from '../../data/files.ts';
import { importError } from '../../models/importers/importer.ts';
import { alignLabels, labelProblem } from '../../models/labels.ts';
import type { Model } from '../../models/model.ts';

/** The model with its classes in the order of the data; an error where it was made for other data. */
export const fitLabels = (model: Model, { task, classes }: DatasetFacts): Model => {
  const { info } = model;
  if (info.labels.length === 0) return model;
  if (info.task !== task) {
    throw importError(
      `the checkpoint is made for ${info.task}, the data for ${task}: 'head: new' takes its encoder alone`,
    );
  }
  const problem = labelProblem(info.labels, classes);
  if (problem !== undefined) throw importError(problem);
  return alignLabels(model, classes);
};
