import type { Criterion } from './criterion.ts';
import { magnitude } from './magnitude.ts';
import { random } from './random.ts';
import { taylor } from './taylor.ts';

/** Every measure of importance, the default first. */
export const criteria: readonly Criterion[] = [taylor, magnitude, random];

export const criterionOf = (name: Criterion['name']): Criterion => {
  const found = criteria.find((criterion) => criterion.name === name);
  if (found === undefined) throw new Error(`no pruning criterion is called '${name}'`);
  return found;
};
