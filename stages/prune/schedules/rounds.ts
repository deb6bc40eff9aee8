import type { Schedule } from './schedule.ts';

/**
 * 1 - s(k) = (1 - s_end)^(k / n) in round k of n: each takes the same share of what is left, and training recovers between them
 * (Frankle and Carbin 2019, 1803.03635; Renda et al. 2020, 2003.02389).
 */
export const rounds: Schedule = {
  name: 'rounds',
  summary: 'in `rounds` equal cuts of what is left, with recovery between',
  share: (progress, { sparsity, rounds: count }) =>
    (1 - (1 - sparsity) ** (Math.ceil(progress * count) / count)) / sparsity,
};
