import type { Calibrator } from './calibrator.ts';
import { entropy } from './entropy.ts';
import { minMax } from './min-max.ts';
import { movingAverage } from './moving-average.ts';
import { mse } from './mse.ts';
import { percentile } from './percentile.ts';

/** Every way of choosing a range, the default first. */
export const calibrators = [minMax, percentile, entropy, mse, movingAverage] as const satisfies readonly Calibrator[];

export const calibratorOf = (name: (typeof calibrators)[number]['name'] | undefined): Calibrator =>
  calibrators.find((one) => one.name === name) ?? calibrators[0];
