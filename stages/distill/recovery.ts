import type { Dataset } from '../../data/dataset.ts';
import type { TrainRequest, WeightHook } from '../../engine/train-request.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import type { Model } from '../../models/model.ts';
import { readTeacherOutputs } from '../label/outputs.ts';
import { defaultRates } from '../train/options.ts';
import { runRequest, type TrainedModel, type TrainingContext, trainingOf } from '../train/run.ts';
import { readLooked } from './read-looked.ts';
import type { Recover } from './recover-options.ts';
import { distillationOf } from './run.ts';
import { saidBy } from './select/candidates.ts';

/** What is trained again, on what and how. */
export interface Recovery {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly recover: Recover;
  /** Of the stage: the teacher, or what it said. */
  readonly inputs: Readonly<Record<string, InputArtifact>>;
  readonly hook?: WeightHook | undefined;
  /** Whether its stream will be narrower in the end than it is while it trains. */
  readonly narrows?: boolean;
}

/** A training changed before it begins, and what is made of the model that it leaves. */
interface Changed {
  readonly request: TrainRequest;
  finish(model: Model): Model;
}

/** A training as the train and distill stages do it, not begun. */
export const recoveryTraining = async (
  { model, dataset, recover, inputs, hook, narrows }: Recovery,
  ctx: TrainingContext,
): Promise<TrainRequest> => {
  if (recover.uses === 'train') {
    const { uses: _, ...config } = recover;
    const { rewordings } = inputs;
    return await trainingOf({ model, dataset, config, rates: defaultRates.fineTune, hook, rewordings }, ctx);
  }
  const { 'teacher-outputs': outputs } = inputs;
  const { uses: _, teacher: __, ...config } = recover;
  const job = {
    ...{ model, dataset, config, hook, narrows, rewordings: inputs.rewordings, said: await saidBy(inputs) },
    teacher: outputs === undefined ? undefined : await readTeacherOutputs(outputs.path),
    teachers: await readLooked(recover, inputs),
  };
  return await distillationOf(job, ctx);
};

/** Trains so. */
export const recoverModel = async (
  { dataset, recover, ...recovery }: Recovery,
  ctx: TrainingContext,
  change: (request: TrainRequest) => Changed = (request) => ({ request, finish: (model) => model }),
): Promise<TrainedModel> => {
  const { request, finish } = change(await recoveryTraining({ dataset, recover, ...recovery }, ctx));
  return runRequest(request, { dataset, config: recover, finish }, ctx);
};
