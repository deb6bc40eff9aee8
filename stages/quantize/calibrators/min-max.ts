import type { Calibrator } from './calibrator.ts';

export const minMax = {
  name: 'min-max',
  summary: 'all that texts made, so that nothing is clipped',
  counts: false,
  range: ({ histogram: { low, high } }) => ({ low, high }),
} as const satisfies Calibrator;
