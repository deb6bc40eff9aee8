import type { WeightArrays, WeightHook } from '../../engine/train-request.ts';
import { stageError } from '../../ground/errors.ts';
import { type ScheduleName, sparsityShare } from './schedule.ts';
import { zeroSmallest } from './smallest.ts';
import { zerosFor } from './zeros.ts';

export interface GradualOptions {
  /** Weights that are pruned together, in the order that decides between equal magnitudes. */
  readonly names: readonly string[];
  readonly sparsity: number;
  readonly schedule: ScheduleName;
  /** Steps between two updates of the masks. */
  readonly every: number;
}

const arraysOf = (names: readonly string[], weights: WeightArrays): readonly Float32Array[] =>
  names.map((name) => {
    const array = weights.get(name);
    if (array === undefined) {
      throw stageError(
        `recovery does not train '${name}', of which sparsity was to make zeros: leave its part out of recover.freeze`,
      );
    }
    return array;
  });

/**
 * Gradual magnitude pruning (Zhu and Gupta 2017, 1710.01878): after every `every` steps the smallest magnitudes over all
 * named weights go, as many as the schedule says; between, what is 0 is held at 0. A weight that is exactly 0 is masked,
 * so a checkpoint's weights hold all the state there is.
 */
export const gradualPruning = ({ names, sparsity, schedule, every }: GradualOptions): WeightHook => ({
  sees: names,
  holds: names,
  start: (_step, _totalSteps, weights) => {
    arraysOf(names, weights);
  },
  wants: (step, totalSteps) => step % every === 0 || step === totalSteps,
  afterUpdate: (step, totalSteps, weights) => {
    const arrays = arraysOf(names, weights);
    const share = sparsityShare(schedule, step, totalSteps);
    const elements = arrays.reduce((sum, { length }) => sum + length, 0);
    zeroSmallest(arrays, zerosFor(sparsity * share, elements));
  },
});
