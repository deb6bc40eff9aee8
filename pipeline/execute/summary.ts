import type { RunSummary, StageSummary, StepSummary } from '../../reports/record.ts';
import { type Catalogue, stageOf } from '../catalogue.ts';
import type { Plan } from '../plan/plan.ts';
import { version } from '../version.ts';
import { dataNameOf } from './data-name.ts';
import type { Executed, ExecuteOptions } from './execute.ts';

/** Seconds of steps that no other stage asked for. */
const extraSeconds = (helpers: readonly string[], plan: Plan, steps: ReadonlyMap<string, StepSummary>): number =>
  helpers
    .filter((helper) => plan.stages.filter((stage) => stage.helpers.includes(helper)).length === 1)
    .reduce((sum, helper) => sum + (steps.get(helper)?.seconds ?? 0), 0);

/** What internal steps have to say of what they did for a stage. */
const askedNotes = (
  helpers: readonly string[],
  steps: ReadonlyMap<string, StepSummary>,
): Pick<StageSummary, 'askedNotes'> => {
  const notes = helpers.flatMap((id) => {
    const said = steps.get(id)?.metrics.notes;
    return Array.isArray(said) ? said.map(String) : [];
  });
  return notes.length === 0 ? {} : { askedNotes: notes };
};

/** The step that chose what a stage ran on. */
const choiceOf = (id: string, plan: Plan, steps: ReadonlyMap<string, StepSummary>): Pick<StageSummary, 'choice'> => {
  const engine = plan.steps.find((step) => step.id === id)?.engine;
  const choice = typeof engine === 'object' ? steps.get(engine.step) : undefined;
  return choice === undefined ? {} : { choice };
};

/** Version and options, defaults included, of the stage behind a step. */
const behaviour = (
  id: string,
  uses: string,
  plan: Plan,
  catalogue: Catalogue,
): Pick<StageSummary, 'version' | 'config'> => {
  const stage = stageOf(catalogue, uses);
  const written = plan.steps.find((step) => step.id === id)?.config;
  return { version: stage?.version ?? 0, config: JSON.parse(JSON.stringify(stage?.config.parse(written ?? {}) ?? {})) };
};

const automaticSteps = (plan: Plan, steps: ReadonlyMap<string, StepSummary>): RunSummary['automatic'] =>
  plan.steps.flatMap(({ id: name, place }) => {
    const step = steps.get(name);
    return step !== undefined && (place === 'data' || place === 'all-models') ? [{ ...step, name, place }] : [];
  });

const isEvaluation = (step: StepSummary | undefined): boolean =>
  Object.values(step?.outputs ?? {}).some(({ artifact }) => artifact.kind === 'predictions');

/** Answers to validation texts say so. */
const isValidation = (step: StepSummary | undefined): boolean => step?.metrics.split === 'validation';

/** What a model answered: to the test split, and where the file asks for it to the validation split. */
const answersOf = (
  about: readonly string[],
  steps: ReadonlyMap<string, StepSummary>,
): Pick<StageSummary, 'evaluation' | 'validation'> => {
  const asked = about.map((step) => steps.get(step)).filter(isEvaluation);
  const validation = asked.find(isValidation);
  return {
    evaluation: asked.find((step) => !isValidation(step)) ?? null,
    ...(validation === undefined ? {} : { validation }),
  };
};

/** What came to no end: of a stage that has no result, what would have been about it goes without saying. */
const undone = ({ steps }: Plan, done: ReadonlyMap<string, StepSummary>): readonly string[] => {
  const open = steps.filter(({ id }) => !done.has(id)).map(({ id }) => id);
  return open.filter((id) => !open.some((other) => id.startsWith(`${other}/`)));
};

/** How a run fell short of its file: by a step that failed, by what `--until` left out. */
const shortOf = (plan: Plan, { steps, end }: Executed): Pick<RunSummary, 'failed' | 'missing'> => {
  const seeds = end.kind === 'failed' ? plan.seeds.slice(plan.seeds.indexOf(plan.seed) + 1) : [];
  const missing = [...undone(plan, steps), ...(plan.leftOut ?? []), ...seeds.map((seed) => `seed ${seed}`)];
  return {
    ...(end.kind === 'failed' ? { failed: { step: end.step, message: end.message } } : {}),
    ...(missing.length === 0 ? {} : { missing }),
  };
};

/** What reports are made from: the steps of a run as they ended. */
export const runSummary = (
  { plan, threads, catalogue }: Pick<ExecuteOptions, 'plan' | 'threads' | 'catalogue'>,
  executed: Executed,
  seconds: number,
): RunSummary => ({
  name: plan.name,
  created: new Date().toISOString(),
  yaml: plan.yaml,
  overrides: plan.overrides,
  gates: plan.gates,
  seed: plan.seed,
  threads,
  decantVersion: version,
  data: plan.data,
  dataName: dataNameOf(plan),
  automatic: automaticSteps(plan, executed.steps),
  stages: plan.stages.map(({ id, uses, inputs, helpers, about }) => ({
    id,
    uses,
    ...behaviour(id, uses, plan, catalogue),
    inputs,
    step: executed.steps.get(id) ?? null,
    ...answersOf(about, executed.steps),
    extraSeconds: extraSeconds(helpers, plan, executed.steps),
    ...askedNotes(helpers, executed.steps),
    ...choiceOf(id, plan, executed.steps),
  })),
  helpers: [...new Set(plan.stages.flatMap(({ helpers }) => helpers))].flatMap((id) => executed.steps.get(id) ?? []),
  seconds,
  keys: [...executed.keys],
  ...(plan.until === undefined ? {} : { until: plan.until }),
  ...shortOf(plan, executed),
});
