import type { Dataset, Example } from '../../data/dataset.ts';
import { balancedClassWeights, type LossSettings } from '../../engine/losses/index.ts';
import { type Stored, storedBy } from '../../engine/stored.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest, WeightHook } from '../../engine/train-request.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { reworded, stageError } from '../../ground/errors.ts';
import type { Progress } from '../../ground/progress.ts';
import type { TrainingSummary } from '../../ground/reported/training.ts';
import { dataTask, hasClasses } from '../../ground/tasks.ts';
import { dropsInBody } from '../../models/dropout/body.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import type { StageContext } from '../stage.ts';
import { augmented } from './augmenters.ts';
import { encodeExamples } from './examples.ts';
import { noClassWeights, nothingDrops } from './foresee.ts';
import { type DefaultRates, type TrainingConfig, trainingOptions } from './options.ts';
import { withThresholds } from './settle.ts';
import { heldZeros, withZerosHeld } from './zeros.ts';

/** Where a training run gets its engine, seed, threads, checkpoints and voice from. */
export type TrainingContext = Pick<
  StageContext,
  'engine' | 'seed' | 'threads' | 'memory' | 'signal' | 'checkpoints' | 'progress'
>;

export interface TrainingJob {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly config: TrainingConfig;
  readonly rates: DefaultRates;
  /** Watches or masks the weights while they move. */
  readonly hook?: WeightHook | undefined;
  /** Other words for those of the texts, where augmentation asks for them. */
  readonly rewordings?: InputArtifact | undefined;
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

/** A ratio that was asked for is one that something is dropped at, in the layers as well as in a new head. */
export const expectDropout = ({ graph }: Model, { dropout = 0 }: Pick<TrainingConfig, 'dropout'>): void => {
  if (dropout > 0 && !dropsInBody(graph)) throw stageError(nothingDrops(dropout));
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

/** Share of the target that is spread over all classes where neither the user nor the task says one. */
const USUAL_SMOOTHING = 0.1;

/** What the losses of a run heed. */
export const lossSettings = (
  config: TrainingConfig,
  dataset: Dataset,
  shares: Pick<LossSettings, 'hard' | 'temperature'>,
): LossSettings => ({
  ...{ ...shares, classes: dataset.classes },
  labelSmoothing: config.labelSmoothing ?? taskOf(dataset.task).smoothing ?? USUAL_SMOOTHING,
  classWeights: classWeightsFor(config, dataset),
});

/** The data as training reads it: for its own task, or its texts alone for another. */
export const dataFor = ({ task }: Pick<TrainingConfig, 'task'>, dataset: Dataset): Dataset =>
  task === undefined || task === dataset.task ? dataset : { ...dataset, task, classes: [] };

/** Training texts that say what is to be learnt of them: those with labels, or all where it is in the text itself. */
const learntFrom = ({ task, train, unlabelled }: Dataset): readonly Example[] =>
  dataTask(task).truth === 'text' ? [...train, ...unlabelled] : train;

/** What every training takes from the step that it belongs to. */
export const withinStep = async (ctx: TrainingContext) => {
  const { seed, threads, memory, signal, checkpoints } = ctx;
  return {
    ...{ seed, threads, memory, signal, checkpoints },
    engine: await ctx.engine(),
    progress: (progress: Progress) => ctx.progress(progress),
  };
};

/** How a model is fitted to what is known of the training texts. */
export const trainingOf = async (
  { model, dataset: data, config, rates, hook, rewordings }: TrainingJob,
  ctx: TrainingContext,
): Promise<TrainRequest> => {
  const dataset = dataFor(config, data);
  const texts = learntFrom(dataset);
  if (texts.length === 0) throw stageError('the data has no labelled training texts');
  const task = taskOf(dataset.task);
  const losses = task.targetLosses(lossSettings(config, dataset, { hard: 1, temperature: 1 }));
  if (losses.length === 0) {
    throw stageError(
      `data for ${task.name} has no labels to train on: use distill, with the model to follow as teacher`,
    );
  }
  expectDropout(model, config);
  const fitted = trainable(model, dataset);
  const reading = { model: fitted, task, dataset };
  const request: TrainRequest = {
    ...{ ...withZerosHeld(fitted, config, hook), task },
    examples: await encodeExamples('training', texts, reading, ctx.signal),
    validation: await encodeExamples(
      'validation',
      dataset.validation.slice(0, config.validationLimit),
      reading,
      ctx.signal,
    ),
    options: trainingOptions(config, rates),
    phases: [{ losses, until: 1 }],
    ...(await withinStep(ctx)),
  };
  return await augmented(request, config, { ids: texts.map(({ id }) => id), rewordings });
};

/** A model as training left it, and how that went. */
export interface TrainedModel {
  readonly model: Model;
  readonly summary: TrainingSummary;
  /** The whole numbers behind weights that were seen as they will be stored. */
  readonly rounded: Stored['rounded'];
}

interface Finishing {
  /** What is made of the model that training leaves, before anything is found on validation texts. */
  readonly finish?: ((model: Model) => Model) | undefined;
}

/** Trains as a request says, and then settles what the options of its job ask for. */
export const runRequest = async (
  request: TrainRequest,
  { dataset, config, finish = (model) => model }: Pick<TrainingJob, 'dataset' | 'config'> & Finishing,
  ctx: TrainingContext,
): Promise<TrainedModel> => {
  const { model: trained, summary } = await train(request);
  const { model, rounded } = await storedBy(trained, request.faked ?? new Map(), ctx.threads);
  const settled = await withThresholds(finish(model), dataFor(config, dataset), config, ctx);
  return { model: settled, summary: { ...summary, ...heldZeros(request), ...request.prepared }, rounded };
};

/** Fits a model to what is known of the training texts. */
export const runTraining = async (job: TrainingJob, ctx: TrainingContext): Promise<TrainedModel> =>
  runRequest(await trainingOf(job, ctx), job, ctx);
