import type { Dataset } from '../../data/dataset.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { stageError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';
import { encodeExamples } from './examples.ts';
import { noThresholds } from './foresee.ts';
import type { TrainingConfig } from './options.ts';
import type { TrainingContext } from './run.ts';

/** A model without thresholds: each class is said from one half on. */
const withoutThresholds = ({ info, ...model }: Model): Model => {
  const { thresholds: _, ...processor } = info.processor;
  return { ...model, info: { ...info, processor } };
};

/** The trained model with thresholds for its classes, chosen on all validation texts where that is asked for. */
export const withThresholds = async (
  model: Model,
  dataset: Dataset,
  { thresholds }: Pick<TrainingConfig, 'thresholds'>,
  { engine: open, threads, signal }: TrainingContext,
): Promise<Model> => {
  if (thresholds !== 'fitted') return model.info.processor.thresholds === undefined ? model : withoutThresholds(model);
  const task = taskOf(dataset.task);
  if (task.thresholds === undefined) throw stageError(noThresholds(dataset.task));
  const { encoded, targets } = await encodeExamples('validation', dataset.validation, { model, task, dataset }, signal);
  const engine = await open();
  const { rows } = await predict({ model, task, examples: encoded, engine, threads, batching: 'length', signal });
  const { info } = model;
  return {
    ...model,
    info: { ...info, processor: { ...info.processor, thresholds: task.thresholds(rows, targets) } },
  };
};
