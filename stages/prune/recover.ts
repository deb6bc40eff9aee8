import type { Dataset } from '../../data/dataset.ts';
import type { WeightHook } from '../../engine/train-request.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import type { TrainingSummary } from '../../ground/reported/training.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { runDistillation } from '../distill/run.ts';
import { readTeacherOutputs } from '../label/outputs.ts';
import type { StageContext } from '../stage.ts';
import { defaultRates } from '../train/options.ts';
import { runTraining } from '../train/run.ts';
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

/** Trains a pruned model as the train and distill stages do, while zeros are held where sparsity asks for them. */
export const recoverModel = async (
  model: Model,
  dataset: Dataset,
  options: PruneOptions & { readonly recover: Recover },
  inputs: Inputs,
  ctx: StageContext,
): Promise<{ readonly model: Model; readonly summary: TrainingSummary }> => {
  const hook = hookOf(model, options);
  const { recover } = options;
  if (recover.uses === 'train') {
    const { uses: _, ...config } = keepLast(recover, hook);
    return runTraining({ model, dataset, config, rates: defaultRates.fineTune, hook }, ctx);
  }
  const { teacher, 'teacher-outputs': outputs } = inputs;
  const { uses: _, teacher: __, ...config } = keepLast(recover, hook);
  return runDistillation(
    {
      model,
      dataset,
      teacher: outputs === undefined ? undefined : await readTeacherOutputs(outputs.path),
      teacherModel: teacher === undefined ? undefined : await readModelArtifact(teacher.path),
      config,
      hook,
    },
    ctx,
  );
};
