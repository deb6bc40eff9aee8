import { type Batch, paddingFraction, shuffledBatches } from '../data/batches.ts';
import { stream } from '../data/random.ts';
import type { TrainingOptions } from './training-options.ts';

/** Which texts every update sees: a function of the seed and the lengths, so that a resumed run meets the same ones. */
export interface TrainingPlan {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly epochs: number;
  /** Batches of an update (0-based). */
  update(step: number): readonly Batch[];
  /** Share of padding among the positions of an epoch (0-based). */
  padding(epoch: number): number;
  /** Epoch (0-based) that an update belongs to. */
  epochOf(step: number): number;
}

export const planTraining = (
  lengths: Int32Array,
  options: Pick<TrainingOptions, 'epochs' | 'steps' | 'batch' | 'accumulate'>,
  seed: number,
): TrainingPlan => {
  const { batch, accumulate } = options;
  const batches = Math.ceil(lengths.length / batch);
  const stepsPerEpoch = Math.max(1, Math.ceil(batches / accumulate));
  const totalSteps = options.steps ?? Math.max(1, Math.round(options.epochs * stepsPerEpoch));
  let cached: { readonly epoch: number; readonly batches: readonly Batch[] } | undefined;
  const epochBatches = (epoch: number): readonly Batch[] => {
    if (cached?.epoch !== epoch) {
      cached = { epoch, batches: shuffledBatches(lengths, batch, stream(seed, 'batches', epoch)) };
    }
    return cached.batches;
  };
  const epochOf = (step: number): number => Math.floor(step / stepsPerEpoch);
  return {
    stepsPerEpoch,
    totalSteps,
    epochs: Math.ceil(totalSteps / stepsPerEpoch),
    epochOf,
    update: (step) => {
      const first = (step % stepsPerEpoch) * accumulate;
      return epochBatches(epochOf(step)).slice(first, first + accumulate);
    },
    padding: (epoch) => paddingFraction(epochBatches(epoch), lengths),
  };
};
