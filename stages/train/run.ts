import type { Dataset } from '../../data/dataset.ts';
import { balancedClassWeights } from '../../engine/losses/index.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { train } from '../../engine/train.ts';
import type { WeightHook } from '../../engine/train-request.ts';
import { reworded, stageError } from '../../ground/errors.ts';
import type { TrainingSummary } from '../../ground/reported/training.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import type { StageContext } from '../stage.ts';
import { encodeExamples, longest } from './examples.ts';
import { type DefaultRates, type TrainingConfig, trainingOptions } from './options.ts';

/** Where a training run gets its seed, threads, checkpoints and voice from. */
export type TrainingContext = Pick<StageContext, 'seed' | 'threads' | 'signal' | 'checkpoints' | 'progress'>;

export interface TrainingJob {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly config: TrainingConfig;
  readonly rates: DefaultRates;
  /** Watches or masks the weights while they move. */
  readonly hook?: WeightHook | undefined;
}

/** A model that gradients can flow through, with what the task of the data needs: a head for its classes. */
export const trainable = (model: Model, dataset: Dataset): Model => {
  if (isQuantized(model.graph)) {
    throw stageError('the model is quantized, and integers have no gradients: start from the stage before it');
  }
  try {
    return taskOf(dataset.task).fit(model, dataset.classes);
  } catch (error) {
    throw reworded(error, (message) => stageError(message, { cause: error }));
  }
};

/** One factor a class, where the configuration asks for balance. */
export const classWeightsFor = ({ classWeights }: TrainingConfig, dataset: Dataset): Float64Array | undefined =>
  classWeights === 'none'
    ? undefined
    : balancedClassWeights(
        dataset.train.flatMap(({ target = [] }) => target),
        dataset.classes.length,
      );

/** Fits a model to the labels of the training split. */
export const runTraining = async (
  { model, dataset, config, rates, hook }: TrainingJob,
  ctx: TrainingContext,
): Promise<{ readonly model: Model; readonly summary: TrainingSummary }> => {
  if (dataset.train.length === 0) throw stageError('the data has no labelled training texts');
  const { labelLosses, name } = taskOf(dataset.task);
  if (labelLosses.length === 0) {
    throw stageError(`data for ${name} has no labels to train on: use distill, with the model to follow as teacher`);
  }
  const classifier = trainable(model, dataset);
  const maxLength = longest(dataset, classifier);
  return train({
    model: classifier,
    examples: await encodeExamples('training', dataset.train, classifier, maxLength, ctx.signal),
    validation: await encodeExamples(
      'validation',
      dataset.validation.slice(0, config.validationLimit),
      classifier,
      maxLength,
      ctx.signal,
    ),
    options: trainingOptions(config, rates),
    phases: [{ losses: labelLosses, until: 1 }],
    lossWeights: { hard: 1, hidden: 0, classWeights: classWeightsFor(config, dataset) },
    hook,
    seed: ctx.seed,
    threads: ctx.threads,
    signal: ctx.signal,
    checkpoints: ctx.checkpoints,
    progress: (progress) => ctx.progress(progress),
  });
};
