import type { WeightArrays, WeightHook } from '../../engine/train-request.ts';
import { stageError } from '../../ground/errors.ts';
import { type ScheduleName, sparsityShare } from './schedule.ts';
import { zeroSmallest } from './smallest.ts';
import { zerosFor } from './sparse.ts';

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

/** Sets everything to 0 that was 0 before the update: a removed weight does not come back. */
const hold = (array: Float32Array, mask: Uint8Array): void => {
  for (let i = 0; i < array.length; i++) if ((mask[i] as number) === 0) array[i] = 0;
};

const remember = (array: Float32Array, mask: Uint8Array): void => {
  for (let i = 0; i < array.length; i++) mask[i] = Number((array[i] as number) !== 0);
};

/**
 * Gradual magnitude pruning (Zhu and Gupta 2017, 1710.01878): after every `every` steps the smallest magnitudes over all
 * named weights go, as many as the schedule says; between, what is 0 is held at 0. A weight that is exactly 0 is masked,
 * so a checkpoint's weights hold all the state there is.
 */
export const gradualPruning = ({ names, sparsity, schedule, every }: GradualOptions): WeightHook => {
  const masks = new Map<string, Uint8Array>();
  return {
    start: (_step, _totalSteps, weights) => {
      arraysOf(names, weights).forEach((array, i) => {
        const mask = new Uint8Array(array.length);
        remember(array, mask);
        masks.set(names[i] ?? '', mask);
      });
    },
    afterUpdate: (step, totalSteps, weights) => {
      const arrays = arraysOf(names, weights);
      const maskOf = (i: number): Uint8Array => masks.get(names[i] ?? '') ?? new Uint8Array();
      arrays.forEach((array, i) => {
        hold(array, maskOf(i));
      });
      if (step % every !== 0 && step !== totalSteps) return;
      const share = sparsityShare(schedule, step, totalSteps);
      const elements = arrays.reduce((sum, { length }) => sum + length, 0);
      zeroSmallest(arrays, zerosFor(sparsity * share, elements));
      arrays.forEach((array, i) => {
        remember(array, maskOf(i));
      });
    },
  };
};
