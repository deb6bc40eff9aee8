import type { TrainingSummary } from '../ground/reported/training.ts';
import type { TrainingProgress } from './training-state.ts';
import type { Outcome } from './updater.ts';

type Point = TrainingSummary['curve'][number];

type Open = TrainingProgress['open'];

/** A stretch of the curve with the losses of one update more. Those of a batch that overflowed say nothing. */
export const withLoss = (open: Open, { loss, terms }: Pick<Outcome, 'loss' | 'terms'>): Open => {
  if (!Number.isFinite(loss)) return open;
  const sums = { ...open.terms };
  for (const [name, term] of Object.entries(terms)) {
    const { loss: sum, steps } = sums[name] ?? { loss: 0, steps: 0 };
    sums[name] = { loss: sum + term, steps: steps + 1 };
  }
  return { loss: open.loss + loss, steps: open.steps + 1, terms: sums };
};

/** The mean of each loss over the updates that had it, where there are several. */
const termsIn = ({ terms = {} }: Open): Pick<Point, 'terms'> => {
  const means = Object.entries(terms).map(([name, { loss, steps }]) => [name, loss / steps] as const);
  return means.length < 2 ? {} : { terms: Object.fromEntries(means) };
};

/** The point of the curve that closes the open stretch; with the score where an epoch ends. */
export const pointOf = ({ step, open, curve }: TrainingProgress, stepsPerEpoch: number, score?: number): Point => ({
  step,
  epoch: step / stepsPerEpoch,
  loss: open.steps === 0 ? (curve.at(-1)?.loss ?? 0) : open.loss / open.steps,
  ...termsIn(open),
  ...(score === undefined ? {} : { score }),
});
