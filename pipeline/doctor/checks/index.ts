import type { CheckRecord } from '../check.ts';
import { anatomy } from './anatomy.ts';
import { differentiate } from './differentiate.ts';
import { fuse } from './fuse.ts';
import { int8 } from './int8.ts';
import { load } from './load.ts';
import { normalise } from './normalise.ts';
import { heads, layer, neurons } from './removals.ts';
import { save } from './save.ts';
import { train } from './train.ts';

/** Everything that the doctor tries, in this order. */
export const checks: readonly CheckRecord[] = [
  load,
  normalise,
  anatomy,
  heads,
  neurons,
  layer,
  differentiate,
  train,
  fuse,
  int8,
  save,
];
