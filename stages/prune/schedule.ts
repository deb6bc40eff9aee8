/** Share of the steps before the first and after the last weight is removed. */
const LEAD = 0.2;

export type ScheduleName = 'cubic' | 'linear';

const curves: Readonly<Record<ScheduleName, (progress: number) => number>> = {
  /** s(t) = s_end (1 - (1 - t)^3): fast while there is much to spare, slow at the end (Zhu and Gupta 2017, 1710.01878). */
  cubic: (progress) => 1 - (1 - progress) ** 3,
  linear: (progress) => progress,
};

/**
 * Share of the final sparsity that holds after `step` of `total` updates (counted from 1): 0 over the first fifth of
 * training, rising over the middle three fifths, exactly 1 from there on.
 */
export const sparsityShare = (schedule: ScheduleName, step: number, total: number): number => {
  const begin = Math.floor(total * LEAD);
  const end = Math.max(begin + 1, Math.ceil(total * (1 - LEAD)));
  if (step >= Math.min(end, total)) return 1;
  return step <= begin ? 0 : curves[schedule]((step - begin) / (end - begin));
};
