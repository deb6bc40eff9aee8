import type { Schedule } from './schedule.ts';

/** s(t) = s_end: all at the beginning, and the rest of training to recover (Han et al. 2015, 1506.02626). */
export const once: Schedule = {
  name: 'once',
  summary: 'all at the beginning',
  share: () => 1,
};
