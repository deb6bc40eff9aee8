import { defaultEngine, findEngine } from '../engine/engines/index.ts';
import { isRecord } from '../ground/records.ts';
import type { DataFacts, Expected, Foreboding, Outlook } from '../stages/expected.ts';
import { type Catalogue, stageOf } from './catalogue.ts';
import type { Plan, Step } from './plan/plan.ts';

type Path = readonly (string | number)[];

/** What a run would meet, by the path in the file, and what is worth a look. */
export interface Forebodings {
  readonly problems: readonly Foreboding[];
  readonly remarks: readonly string[];
  /** What models are expected to be, by the step that makes them. */
  readonly models: ReadonlyMap<string, Expected | undefined>;
}

/** What a look at the data shows. */
interface Look extends Omit<Forebodings, 'models'> {
  readonly data?: DataFacts;
}

/** Where a stage is named in the options of another. */
const pathTo = (id: string, options: unknown): Path | undefined => {
  if (options === id) return [];
  if (typeof options !== 'object' || options === null) return undefined;
  for (const [key, value] of Object.entries(options)) {
    const path = pathTo(id, value);
    if (path !== undefined) return [Array.isArray(options) ? Number(key) : key, ...path];
  }
  return undefined;
};

/** Where a step stands in the file: a helper where the stage that asked for it names its model. */
const placeOf = ({ id, uses, inputs }: Step, { stages, steps }: Plan, catalogue: Catalogue): Path => {
  const section = stageOf(catalogue, uses)?.automatic?.section;
  if (section !== undefined) return [section.name];
  const index = stages.findIndex((stage) => stage.id === id || stage.helpers.includes(id));
  const { config } = steps.find((step) => step.id === stages[index]?.id) ?? {};
  if (stages[index]?.id === id || !isRecord(config)) return ['stages', index];
  const named = inputs.model === undefined ? undefined : pathTo(inputs.model.step, config);
  const teacher = 'teacher' in config ? ['teacher'] : isRecord(config.recover) ? ['recover', 'teacher'] : [];
  return ['stages', index, ...(named ?? teacher)];
};

const factsOf = async (plan: Plan, catalogue: Catalogue): Promise<Look> => {
  const config = plan.steps.find(({ id }) => id === plan.dataset)?.config;
  const look = await catalogue.lookAtData?.(config, plan.base);
  return look === undefined ? { problems: [], remarks: [] } : { problems: [], remarks: look.remarks, data: look };
};

/** What a step runs on, where that is here. */
const engineOf = async ({ engine: name = defaultEngine }: Step): Promise<Outlook['engine']> => {
  if (typeof name === 'object') return 'chosen';
  const found = await findEngine(name);
  return 'missing' in found ? undefined : { name, device: found.device };
};

/** Asks every step in turn what it will come to, given what those before it will. */
export const foreseeRun = async (plan: Plan, catalogue: Catalogue, skip: ReadonlySet<string>): Promise<Forebodings> => {
  const { remarks: first, data } = await factsOf(plan, catalogue);
  const models = new Map<string, Expected | undefined>();
  const problems: Foreboding[] = [];
  const remarks = [...first];
  for (const step of plan.steps.filter(({ id }) => !skip.has(id))) {
    const inputs = Object.entries(step.inputs).map(([name, ref]) => [name, models.get(ref.step)] as const);
    const stage = stageOf(catalogue, step.uses);
    const engine = stage?.choosesEngine === true ? await engineOf(step) : undefined;
    const outlook = { models: Object.fromEntries(inputs), data, engine, base: plan.base };
    const seen = (await stage?.foresee?.(step.config, outlook)) ?? {};
    models.set(step.id, seen.model);
    const at = placeOf(step, plan, catalogue);
    for (const one of seen.problems ?? []) problems.push({ ...one, path: [...at, ...one.path] });
    for (const remark of seen.remarks ?? []) remarks.push(`${step.id}: ${remark}`);
  }
  return { problems, remarks, models };
};
