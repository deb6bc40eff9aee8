import type { Dataset } from '../../data/dataset.ts';
import type { WeightHook } from '../../engine/train-request.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import type { Model } from '../../models/model.ts';
import type { Recover } from '../distill/recover-options.ts';
import type { Recovery } from '../distill/recovery.ts';
import { isGradual, type PruneOptions } from './config.ts';
import { gradualPruning } from './gradual.ts';
import { sparsityPlan } from './zeroed.ts';

/** Where sparsity rises during recovery, a hook that makes it rise. */
const hookOf = (model: Model, options: PruneOptions): WeightHook | undefined =>
  isGradual(options)
    ? gradualPruning({ ...sparsityPlan(model, options), schedule: options.schedule, every: options.every })
    : undefined;

/** Sparsity is reached near the end of training: the weights of an earlier epoch would have fewer zeros. */
const keepLast = <C extends Recover>(recover: C, hook: WeightHook | undefined): C =>
  hook === undefined ? recover : { ...recover, keep: 'last' };

/** What a pruned model is trained with. Zeros are held where sparsity asks for them. */
export const recoveryOf = (
  model: Model,
  dataset: Dataset,
  options: PruneOptions & { readonly recover: Recover },
  inputs: Readonly<Record<string, InputArtifact>>,
): Recovery => {
  const hook = hookOf(model, options);
  return { model, dataset, recover: keepLast(options.recover, hook), inputs, hook };
};
