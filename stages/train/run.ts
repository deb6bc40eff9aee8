import type { Dataset } from '../../data/dataset.ts';
import { balancedClassWeights, type LossSettings } from '../../engine/losses/index.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { train } from '../../engine/train.ts';
import type { WeightHook } from '../../engine/train-request.ts';
import { reworded, stageError } from '../../ground/errors.ts';
import type { TrainingSummary } from '../../ground/reported/training.ts';
import { hasClasses } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import type { StageContext } from '../stage.ts';
import { encodeExamples } from './examples.ts';
import { noClassWeights } from './foresee.ts';
import { type DefaultRates, type TrainingConfig, trainingOptions } from './options.ts';
import { withThresholds } from './settle.ts';

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
const classWeightsFor = ({ classWeights }: TrainingConfig, { task, train, classes }: Dataset) => {
  if (classWeights === 'none') return undefined;
  if (!hasClasses(task)) throw stageError(noClassWeights(task));
  return balancedClassWeights(
    train.flatMap(({ target = [] }) => target),
    classes.length,
  );
};

/** What the losses of a run heed. */
export const lossSettings = (
  config: TrainingConfig,
  dataset: Dataset,
  shares: Pick<LossSettings, 'hard' | 'temperature'>,
): LossSettings => ({
  ...shares,
  labelSmoothing: config.labelSmoothing,
  classWeights: classWeightsFor(config, dataset),
});

/** Fits a model to the labels of the training split. */
export const runTraining = async (
  { model, dataset, config, rates, hook }: TrainingJob,
  ctx: TrainingContext,
): Promise<{ readonly model: Model; readonly summary: TrainingSummary }> => {
  if (dataset.train.length === 0) throw stageError('the data has no labelled training texts');
  const task = taskOf(dataset.task);
  const losses = task.targetLosses(lossSettings(config, dataset, { hard: 1, temperature: 1 }));
  if (losses.length === 0) {
    throw stageError(
      `data for ${task.name} has no labels to train on: use distill, with the model to follow as teacher`,
    );
  }
  const fitted = trainable(model, dataset);
  const reading = { model: fitted, task, dataset };
  const { model: trained, summary } = await train({
    ...{ model: fitted, task },
    examples: await encodeExamples('training', dataset.train, reading, ctx.signal),
    validation: await encodeExamples(
      'validation',
      dataset.validation.slice(0, config.validationLimit),
      reading,
      ctx.signal,
    ),
    options: trainingOptions(config, rates),
    phases: [{ losses, until: 1 }],
    hook,
    seed: ctx.seed,
    threads: ctx.threads,
    signal: ctx.signal,
    checkpoints: ctx.checkpoints,
    progress: (progress) => ctx.progress(progress),
  });
  return { model: await withThresholds(trained, dataset, config, ctx), summary };
};
