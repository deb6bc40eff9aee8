import type { Effort, TextCounts } from '../expected.ts';
import type { TrainingConfig } from './options.ts';

type Length = Pick<TrainingConfig, 'epochs' | 'steps' | 'batch' | 'accumulate' | 'validationLimit'>;

/** Texts that training reads, and those that validate it after each epoch. */
export const trainingEffort = (
  { epochs, steps, batch, accumulate, validationLimit }: Length,
  examples: number,
  { validation }: TextCounts,
): Effort => {
  const trained = steps === undefined ? epochs * examples : steps * batch * accumulate;
  const passes = examples === 0 ? 1 : Math.max(1, Math.ceil(trained / examples));
  return { trained, asked: passes * Math.min(validation, validationLimit) };
};

/** All texts that say something, with a label or without. */
export const allTraining = ({ train, unlabelled }: TextCounts): number => train + unlabelled;
