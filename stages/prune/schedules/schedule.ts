/** What a schedule may ask of the goal. */
export interface Goal {
  /** Share of zeros in the end. */
  readonly sparsity: number;
  readonly rounds: number;
}

/** How zeros come while a model trains. */
export interface Schedule {
  readonly name: string;
  readonly summary: string;
  /** Share of the final zeros that holds at a point of the rise, above 0 and below 1; behind it all hold. Never falls. */
  share(progress: number, goal: Goal): number;
}

/** Share of the steps before the first and after the last weight is removed. */
const LEAD = 0.2;

/** Steps after which the rise begins and ends. */
export const riseOf = (total: number): { readonly begin: number; readonly end: number } => {
  const begin = Math.floor(total * LEAD);
  return { begin, end: Math.min(total, Math.max(begin + 1, Math.ceil(total * (1 - LEAD)))) };
};

/**
 * Share of the final zeros that holds after `step` of `total` updates (counted from 1): 0 over the first fifth of training,
 * rising over the middle three fifths, exactly 1 from there on, so that every schedule ends.
 */
export const shareAt = (schedule: Schedule, step: number, total: number, goal: Goal): number => {
  const { begin, end } = riseOf(total);
  if (step >= end) return 1;
  return step <= begin ? 0 : schedule.share((step - begin) / (end - begin), goal);
};
