import type { Json } from '../../ground/json.ts';
import type { Ref } from '../../stages/stage.ts';
import { type Catalogue, stageOf } from '../catalogue.ts';
import { hashJson } from '../store/hash.ts';
import type { Plan, Step } from './plan.ts';

/** Every run of a command, in the order in which they run: a variant and a seed each. */
export const membersOf = (plans: readonly Plan[]): readonly Plan[] =>
  plans.flatMap((plan) => plan.seeds.map((seed) => ({ ...plan, seed })));

type Lineages = ReadonlyMap<string, string>;

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value));

const lineageOf = (step: Step, seed: number, before: Lineages, catalogue: Catalogue): string => {
  const stage = stageOf(catalogue, step.uses);
  const parsed = stage?.config.safeParse(step.config);
  const from = (ref: Ref): string => `${before.get(ref.step) ?? ''} ${ref.output}`;
  return hashJson(
    asJson({
      uses: step.uses,
      config: parsed?.success === true ? parsed.data : step.config,
      inputs: Object.fromEntries(Object.entries(step.inputs).map(([name, ref]) => [name, from(ref)])),
      engine: typeof step.engine === 'object' ? from(step.engine) : (step.engine ?? null),
      seed: stage?.draws(step.config) === true ? seed : null,
    }),
  );
};

/** Asked for each run of each other one. */
const known = new WeakMap<Plan, Lineages>();

/** What each step comes from, by its id: equal where two runs have one result, which the first of them makes. */
export const lineagesOf = (plan: Plan, catalogue: Catalogue): Lineages => {
  const made = known.get(plan);
  if (made !== undefined) return made;
  const lineages = new Map<string, string>();
  for (const step of plan.steps) lineages.set(step.id, lineageOf(step, plan.seed, lineages, catalogue));
  known.set(plan, lineages);
  return lineages;
};

/** Steps of one of several runs that none before it has: the others it finds done. */
export const ownSteps = (members: readonly Plan[], at: number, catalogue: Catalogue): ReadonlySet<string> => {
  const plan = members[at];
  const before = new Set(members.slice(0, at).flatMap((one) => [...lineagesOf(one, catalogue).values()]));
  const all = plan === undefined ? [] : [...lineagesOf(plan, catalogue)];
  return new Set(all.filter(([, lineage]) => !before.has(lineage)).map(([id]) => id));
};
