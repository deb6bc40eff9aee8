import { type Catalogue, stageOf } from '../catalogue.ts';
import { neededBy, type Plan } from './plan.ts';

/** The plan of each seed, in the file's order. Steps that draw nothing have equal keys in all of them. */
export const plansOf = (plan: Plan): readonly Plan[] => plan.seeds.map((seed) => ({ ...plan, seed }));

/** Steps whose result may differ between seeds: those that draw, and what is made from them. The others are shared. */
export const varyingSteps = ({ steps }: Plan, catalogue: Catalogue): ReadonlySet<string> => {
  const varying = new Set<string>();
  for (const step of steps) {
    const draws = stageOf(catalogue, step.uses)?.draws(step.config) === true;
    if (draws || neededBy(step).some((id) => varying.has(id))) varying.add(step.id);
  }
  return varying;
};

/** Of the steps that are to run again, those that earlier seeds did not run again already. */
export const forcedIn = (
  plan: Plan,
  { force, catalogue }: { readonly force: ReadonlySet<string>; readonly catalogue: Catalogue },
): ReadonlySet<string> => {
  if (plan.seed === plan.seeds[0]) return force;
  const varying = varyingSteps(plan, catalogue);
  return new Set([...force].filter((id) => varying.has(id)));
};
