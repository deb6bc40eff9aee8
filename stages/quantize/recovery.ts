import { readDatasetArtifact } from '../../data/files.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import { fusedFor } from '../../graph/quantize/convert.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import type { Recover } from '../distill/recover-options.ts';
import { type Recovery, recoveryTraining } from '../distill/recovery.ts';
import type { StageContext, TrainingOfRun } from '../stage.ts';
import { runRequest } from '../train/run.ts';
import { type Config, formatOf, optionsOf } from './config.ts';
import { type Seen, seenBy, type Train } from './recover.ts';

type Inputs = Readonly<Record<string, InputArtifact>>;

const recoveryIn = async (
  { model, dataset, ...inputs }: Inputs,
  { recover }: Config,
): Promise<Recovery | undefined> => {
  if (recover === undefined || model === undefined || dataset === undefined) return undefined;
  return {
    ...{ recover, inputs, model: await readModelArtifact(model.path) },
    dataset: await readDatasetArtifact(dataset.path),
  };
};

/** A recovery that waits for how weights are stored. */
export interface OpenRecovery {
  /** What is trained: the model with the head that the data asks for. */
  readonly model: Model;
  readonly train: Train;
}

/** What the rounded file was found to hold stays, unless zeros are let go. */
const withFake = (request: TrainRequest, { model, faked, hook }: Seen, { holdZeros }: Recover): TrainRequest => {
  const seen = { ...request, model, faked };
  if (hook === undefined || holdZeros === false) return seen;
  return { ...seen, hook: { ...hook, holds: [...new Set([...(hook.holds ?? []), ...(request.hook?.holds ?? [])])] } };
};

/** The training that the options ask for, not begun; undefined where they ask for none. */
export const openRecovery = async (
  inputs: Inputs,
  config: Config,
  ctx: StageContext,
): Promise<OpenRecovery | undefined> => {
  const recovery = await recoveryIn(inputs, config);
  if (recovery === undefined) return undefined;
  const request = await recoveryTraining(recovery, ctx);
  const { dataset, recover } = recovery;
  return {
    model: request.model,
    train: (seen) => runRequest(withFake(request, seen, recover), { dataset, config: recover }, ctx),
  };
};

/** That training with weights rounded to the nearest, to try engines on. */
export const training: TrainingOfRun<Config> = async (inputs, config, ctx) => {
  const recovery = await recoveryIn(inputs, config);
  if (recovery === undefined) throw new Error('there is no training without recovery');
  const request = await recoveryTraining(recovery, ctx);
  const { model } = request;
  const options = optionsOf(config, model.info.task);
  const fused = fusedFor(model.graph, formatOf(config.format));
  const seen = seenBy({ model, fused, quantized: quantizeWeights(fused, options) });
  return withFake(request, seen, recovery.recover);
};
