import type { Dataset } from '../../data/dataset.ts';
import type { WeightHook } from '../../engine/train-request.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import type { Model } from '../../models/model.ts';
import type { Recover } from '../distill/recover-options.ts';
import type { Recovery } from '../distill/recovery.ts';
import type { PruneOptions } from './config.ts';
import { isLearnt } from './criteria/index.ts';
import { pruningDuring } from './during.ts';
import { scheduleOf } from './schedules/index.ts';
import { isGradual, masksEvery, zerosAsked } from './zero-options.ts';
import { expectFits, sparsityPlan, weightsIn } from './zeroed.ts';

/** Where zeros come while recovery trains, a hook that makes them. */
const hookOf = (model: Model, options: PruneOptions, seed: number): WeightHook | undefined => {
  const asked = zerosAsked(options);
  const { saliency } = asked;
  if (!isGradual(options) || (saliency.reads !== 'weights' && saliency.reads !== 'gradients')) return undefined;
  const { names, sparsity } = sparsityPlan(model, options);
  const weights = weightsIn(model.graph, names);
  expectFits(weights, asked);
  const { schedule, rounds } = options;
  const { pattern, compete } = asked;
  return pruningDuring({
    ...{ weights: weights.map(({ name, plane }) => ({ name, plane })), saliency, pattern, sparsity, compete },
    ...{ schedule: scheduleOf(schedule), rounds, every: masksEvery(options), seed },
  });
};

/** What is asked for is reached near the end of training: the weights of an earlier epoch would have more. */
const keepLast = <C extends Recover>(recover: C, isLate: boolean): C =>
  isLate ? { ...recover, keep: 'last' } : recover;

/** What a pruned model is trained with. */
export const recoveryOf = (
  { model, dataset, seed }: { readonly model: Model; readonly dataset: Dataset; readonly seed: number },
  options: PruneOptions & { readonly recover: Recover },
  inputs: Readonly<Record<string, InputArtifact>>,
): Recovery => {
  const hook = hookOf(model, options, seed);
  const recover = keepLast(options.recover, hook !== undefined || isLearnt(options.criterion));
  const narrows = isLearnt(options.criterion) && options.keep?.hidden !== undefined;
  return { model, dataset, recover, inputs, hook, narrows };
};
