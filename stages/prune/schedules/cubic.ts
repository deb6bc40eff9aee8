import type { Schedule } from './schedule.ts';

/** s(t) = s_end (1 - (1 - t)^3): fast while there is much to spare, slow at the end (Zhu and Gupta 2017, 1710.01878). */
export const cubic: Schedule = {
  name: 'cubic',
  summary: 'fast while there is much to spare, slow at the end',
  share: (progress) => 1 - (1 - progress) ** 3,
};
