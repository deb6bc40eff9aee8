import type { StageMetrics } from '../ground/reported/stage.ts';
import { whole } from './figures.ts';

/** What was computed in float16, and how often that was too narrow. */
const precisionNotes = ({ training }: StageMetrics): readonly string[] => {
  if (training?.leftOut === undefined) return [];
  const { leftOut, steps } = training;
  const lost = leftOut === 0 ? '' : `; ${leftOut} of ${steps} updates were left out, since a gradient was beyond it`;
  return [`trained in float16${lost}`];
};

/** Zeros of an earlier stage that training left as they are. */
const zeroNotes = ({ training }: StageMetrics): readonly string[] =>
  training?.heldZeros === undefined ? [] : [`trained with ${whole(training.heldZeros)} zeros of pruning held at zero`];

/** Which texts a student was taught on, where they were chosen. */
const selectionNotes = ({ training }: StageMetrics): readonly string[] => {
  if (training?.selected === undefined) return [];
  const { texts, of, by } = training.selected;
  return [`taught on ${whole(texts)} of ${whole(of)} texts without labels, chosen by ${by}`];
};

/** What is to be said of a training beside its figures. */
export const trainingNotes = (metrics: StageMetrics): readonly string[] => [
  ...precisionNotes(metrics),
  ...zeroNotes(metrics),
  ...selectionNotes(metrics),
];
