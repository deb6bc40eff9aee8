import { type Batch, paddingFraction, shuffledBatches, splitBatch } from '../data/batches.ts';
import { stream } from '../data/random.ts';
import type { TrainingOptions } from './training-options.ts';

/** Which texts every update sees: a function of the seed and the lengths, so that a resumed run meets the same ones. */
export interface TrainingPlan {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly epochs: number;
  /** Batches of an update (0-based), one a pass: the batch that one pass alone would take, cut into pieces. */
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
  const whole = batch * accumulate;
  const stepsPerEpoch = Math.max(1, Math.ceil(lengths.length / whole));
  const totalSteps = options.steps ?? Math.max(1, Math.round(options.epochs * stepsPerEpoch));
  let cached: { readonly epoch: number; readonly updates: readonly (readonly Batch[])[] } | undefined;
  const updatesOf = (epoch: number): readonly (readonly Batch[])[] => {
    if (cached?.epoch !== epoch) {
      const batches = shuffledBatches(lengths, whole, stream(seed, 'batches', epoch));
      cached = { epoch, updates: batches.map((one) => splitBatch(one, batch)) };
    }
    return cached.updates;
  };
  const epochOf = (step: number): number => Math.floor(step / stepsPerEpoch);
  return {
    stepsPerEpoch,
    totalSteps,
    epochs: Math.ceil(totalSteps / stepsPerEpoch),
    epochOf,
    update: (step) => updatesOf(epochOf(step))[step % stepsPerEpoch] ?? [],
    padding: (epoch) => paddingFraction(updatesOf(epoch).flat(), lengths),
  };
};
