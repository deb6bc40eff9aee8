import type { Json } from '../../ground/json.ts';
import type { Gate } from '../../reports/gates/gate.ts';
import { isSeedFolder } from '../../reports/seed-folder.ts';
import type { Place } from '../../stages/place.ts';
import type { Ref } from '../../stages/stage.ts';
import type { Catalogue } from '../catalogue.ts';

/** One unit of work of a plan: plain JSON, enough to run it in any process that has the store. */
export interface Step {
  /** Unique in the plan: "teacher", "teacher/evaluate", "measure". */
  readonly id: string;
  readonly uses: string;
  /** Where its stage says that it stands. */
  readonly place: Place;
  /** The configuration as it was written. */
  readonly config: Json;
  readonly inputs: Readonly<Record<string, Ref>>;
  /** The engine that its graphs run on, where it is not the CPU; or the step that will have chosen one. */
  readonly engine?: string | Ref;
}

/** A step whose engine is known. */
export interface ReadyStep extends Step {
  readonly engine?: string;
}

/** Ids of the steps that have to be done before it. */
export const neededBy = ({ inputs, engine }: Step): readonly string[] => [
  ...Object.values(inputs).map(({ step }) => step),
  ...(typeof engine === 'object' ? [engine.step] : []),
];

/** One stage of the YAML with the steps that it stands for. */
export interface PlannedStage {
  readonly id: string;
  readonly uses: string;
  /** Stage ids by input name. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Ids of steps that it asked for. */
  readonly helpers: readonly string[];
  /** Ids of the steps about its model. */
  readonly about: readonly string[];
}

/** A pipeline ready to run: steps in an order in which every input comes before its use. */
export interface Plan {
  readonly name: string;
  /** The one that its steps draw with. */
  readonly seed: number;
  /** Every seed that the file asks for: the plan is run for each. */
  readonly seeds: readonly number[];
  /** The recipe that it is, where the file has several; and all of them. */
  readonly variant?: string;
  readonly variants?: readonly string[];
  /** `uses` of the data section. */
  readonly data: string;
  /** Id of the step that reads it. */
  readonly dataset: string;
  /** The file as it was read, and the --set values on top of it. */
  readonly yaml: string;
  readonly overrides: readonly string[];
  /** The stage that `--until` names; absent where the whole file is planned. */
  readonly until?: string;
  /** Stages of the file that come after it. */
  readonly leftOut?: readonly string[];
  /** Folder of the YAML file: relative paths are resolved against it. */
  readonly base: string;
  readonly steps: readonly Step[];
  readonly stages: readonly PlannedStage[];
  /** Limits that the report is held against; part of no key. */
  readonly gates: readonly Gate[];
  /** What else is written while it runs; part of no key. */
  readonly log?: LogKind;
}

export const logKinds = ['tensorboard'] as const;
export type LogKind = (typeof logKinds)[number];

/** Folders of a run besides those of its stages. */
const folders: readonly string[] = ['models', 'logs', 'records', 'history', ...logKinds];

/** Stages whose steps stand in every plan under their own name. */
const automaticStages = ({ stages }: Pick<Catalogue, 'stages'>): Catalogue['stages'] =>
  stages.filter(({ place }) => place === 'data' || place === 'all-models');

/** Ids that name something else in a plan or in the run's folder. */
export const isReserved = (id: string, catalogue: Pick<Catalogue, 'stages'>): boolean =>
  automaticStages(catalogue).some(({ uses }) => uses === id) ||
  folders.includes(id) ||
  isSeedFolder(id) ||
  /^(?:report|events)\./.test(id);

/** Steps that a step needs, itself included, in the plan's order. */
export const closure = (plan: Plan, ids: readonly string[]): readonly Step[] => {
  const byId = new Map(plan.steps.map((step) => [step.id, step]));
  const needed = new Set<string>();
  const visit = (id: string): void => {
    if (needed.has(id)) return;
    needed.add(id);
    const step = byId.get(id);
    for (const before of step === undefined ? [] : neededBy(step)) visit(before);
  };
  for (const id of ids) visit(id);
  return plan.steps.filter(({ id }) => needed.has(id));
};
