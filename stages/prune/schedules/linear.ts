import type { Schedule } from './schedule.ts';

/** s(t) = s_end t. */
export const linear: Schedule = {
  name: 'linear',
  summary: 'as many at each point as at any other',
  share: (progress) => progress,
};
