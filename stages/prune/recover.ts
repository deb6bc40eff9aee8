import type { Dataset } from '../../data/dataset.ts';
import type { TrainRequest, WeightHook } from '../../engine/train-request.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { type DistillationJob, distillationOf, runDistillation } from '../distill/run.ts';
import { readTeacherOutputs } from '../label/outputs.ts';
import type { StageContext } from '../stage.ts';
import { defaultRates } from '../train/options.ts';
import { runTraining, type TrainedModel, type TrainingJob, trainingOf } from '../train/run.ts';
import type { PruneOptions, Recover } from './config.ts';
import { gradualPruning } from './gradual.ts';
import { sparsityPlan } from './prune.ts';

type Inputs = Readonly<Record<string, InputArtifact>>;

/** Where sparsity rises during recovery, a hook that makes it rise. */
const hookOf = (model: Model, options: PruneOptions): WeightHook | undefined =>
  options.sparsity === undefined
    ? undefined
    : gradualPruning({ ...sparsityPlan(model, options), schedule: options.schedule, every: options.every });

/** Sparsity is reached near the end of training: the weights of an earlier epoch would have fewer zeros. */
const keepLast = <C extends Recover>(recover: C, hook: WeightHook | undefined): C =>
  hook === undefined ? recover : { ...recover, keep: 'last' };

/** What a pruned model is trained with: a job of the train stage, or of the distill stage. */
type Recovery =
  | { readonly uses: 'train'; readonly job: TrainingJob }
  | { readonly uses: 'distill'; readonly job: DistillationJob };

/** Zeros are held where sparsity asks for them. */
const recoveryOf = async (
  model: Model,
  dataset: Dataset,
  options: PruneOptions & { readonly recover: Recover },
  inputs: Inputs,
): Promise<Recovery> => {
  const hook = hookOf(model, options);
  const { recover } = options;
  if (recover.uses === 'train') {
    const { uses, ...config } = keepLast(recover, hook);
    return { uses, job: { model, dataset, config, rates: defaultRates.fineTune, hook } };
  }
  const { teacher, 'teacher-outputs': outputs } = inputs;
  const { uses, teacher: _, ...config } = keepLast(recover, hook);
  const job = {
    ...{ model, dataset, config, hook },
    teacher: outputs === undefined ? undefined : await readTeacherOutputs(outputs.path),
    teacherModel: teacher === undefined ? undefined : await readModelArtifact(teacher.path),
  };
  return { uses, job };
};

/** Trains a pruned model as the train and distill stages do. */
export const recoverModel = async (
  ...[model, dataset, options, inputs, ctx]: [...Parameters<typeof recoveryOf>, StageContext]
): Promise<TrainedModel> => {
  const recovery = await recoveryOf(model, dataset, options, inputs);
  return recovery.uses === 'train' ? runTraining(recovery.job, ctx) : runDistillation(recovery.job, ctx);
};

/** That training, not begun. */
export const recoveryTraining = async (
  ...[model, dataset, options, inputs, ctx]: [...Parameters<typeof recoveryOf>, StageContext]
): Promise<TrainRequest> => {
  const recovery = await recoveryOf(model, dataset, options, inputs);
  return recovery.uses === 'train' ? trainingOf(recovery.job, ctx) : distillationOf(recovery.job, ctx);
};
