import type { Feeds } from './engine.ts';
import type { TrainingStep } from './step.ts';
import type { WeightArrays } from './train-request.ts';

/**
 * What the loss is multiplied by while gradients are computed, so that small ones are not lost in float16; a power of two, which
 * no rounding sees. Larger ones let more of them through, until one is infinite: that update is left out.
 *
 * Micikevicius et al. 2018, Mixed Precision Training, arXiv 1710.03740, section 3.2.
 */
export interface LossScale {
  readonly factor: number;
  /** Updates since the factor was last changed. */
  readonly good: number;
  /** Updates that were left out: moments know nothing of them. */
  readonly leftOut: number;
}

/** What float32 needs: none. */
export const unscaled: LossScale = { factor: 1, good: 0, leftOut: 0 };

const FIRST = 2 ** 12;
const LARGEST = 2 ** 24;

/** So many updates without an infinite number are a reason to try the next power. */
const UPDATES_BEFORE_DOUBLING = 500;

export const firstScale: LossScale = { ...unscaled, factor: FIRST };

/** Whether gradients can be made smaller. */
export const canShrink = ({ factor }: LossScale): boolean => factor > 1;

/** The scale of the update after one that moved weights, or had to be left out. */
export const scaleAfter = ({ factor, good, leftOut }: LossScale, moved: boolean): LossScale => {
  if (!moved) return { factor: Math.max(1, factor / 2), good: 0, leftOut: leftOut + 1 };
  if (good + 1 < UPDATES_BEFORE_DOUBLING) return { factor, good: good + 1, leftOut };
  return { factor: Math.min(LARGEST, 2 * factor), good: 0, leftOut };
};

/** The scale, where a step takes one. */
export const scaleFeed = ({ scale: input }: Pick<TrainingStep, 'scale'>, { factor }: LossScale): Feeds =>
  input === undefined ? {} : { [input]: { dtype: 'float32', dims: [], data: Float32Array.of(factor) } };

/** Gradients of the loss itself, in arrays of their own where they had a scale. */
export const unscaledArrays = (gradients: WeightArrays, { factor }: LossScale): WeightArrays =>
  factor === 1 ? gradients : new Map(Array.from(gradients, ([name, data]) => [name, data.map((g) => g / factor)]));
