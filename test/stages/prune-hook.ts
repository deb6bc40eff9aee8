import type { WeightHook } from '../../engine/train-request.ts';
import { type During, pruningDuring } from '../../stages/prune/during.ts';
import { patternOf } from '../../stages/prune/patterns/index.ts';
import { magnitude } from '../../stages/prune/saliencies/magnitude.ts';
import { cubic } from '../../stages/prune/schedules/cubic.ts';

/** Zeros that come while a model trains, by magnitude over all of these weights where nothing else is said. */
export const risingZeros = (
  weights: ReadonlyMap<string, number>,
  changes: Partial<Omit<During, 'weights'>> & Pick<During, 'sparsity' | 'every'>,
): WeightHook =>
  pruningDuring({
    weights: Array.from(weights, ([name, width]) => ({ name, plane: { rows: 1, width, turned: false } })),
    ...{ saliency: magnitude, pattern: patternOf('free'), compete: 'model', schedule: cubic, rounds: 1, seed: 0 },
    ...changes,
  });
