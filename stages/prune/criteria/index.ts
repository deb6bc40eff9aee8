import type { Criterion } from './criterion.ts';
import { magnitude } from './magnitude.ts';
import { random } from './random.ts';
import { taylor } from './taylor.ts';

/** Every measure of importance, the default first. */
export const criteria: readonly Criterion[] = [taylor, magnitude, random];

/** Whether units are not ranked but learnt, by gates, while the model trains. */
export const isLearnt = (name: string): boolean => name === 'l0';

/** Whether labelled texts are run through the model before anything is cut. */
export const ranksOnExamples = (name: string): boolean => !isLearnt(name) && criterionOf(name).needsExamples;

export const criterionOf = (name: string): Criterion => {
  const found = criteria.find((criterion) => criterion.name === name);
  if (found === undefined) throw new Error(`no pruning criterion is called '${name}'`);
  return found;
};
