import type { Calibrator } from './calibrator.ts';

export const movingAverage = {
  name: 'moving-average',
  summary: 'smallest and largest number of a text, averaged as texts go by',
  counts: false,
  range: ({ moving }) => moving,
} as const satisfies Calibrator;
