import type { RunSummary, StageSummary, StepSummary } from '../../reports/record.ts';
import { type Catalogue, stageOf } from '../catalogue.ts';
import type { Plan } from '../plan/plan.ts';
import { version } from '../version.ts';
import type { Executed, ExecuteOptions } from './execute.ts';

/** Seconds of steps that no other stage asked for. */
const extraSeconds = (helpers: readonly string[], plan: Plan, steps: ReadonlyMap<string, StepSummary>): number =>
  helpers
    .filter((helper) => plan.stages.filter((stage) => stage.helpers.includes(helper)).length === 1)
    .reduce((sum, helper) => sum + (steps.get(helper)?.seconds ?? 0), 0);

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

/** What reports are made from: the steps of a run as they ended. */
export const runSummary = (
  { plan, threads, catalogue }: Pick<ExecuteOptions, 'plan' | 'threads' | 'catalogue'>,
  { steps, keys }: Executed,
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
  automatic: automaticSteps(plan, steps),
  stages: plan.stages.map(({ id, uses, inputs, helpers, about }) => ({
    id,
    uses,
    ...behaviour(id, uses, plan, catalogue),
    inputs,
    step: steps.get(id) ?? null,
    evaluation: about.map((step) => steps.get(step)).find(isEvaluation) ?? null,
    extraSeconds: extraSeconds(helpers, plan, steps),
    ...choiceOf(id, plan, steps),
  })),
  helpers: [...new Set(plan.stages.flatMap(({ helpers }) => helpers))].flatMap((id) => steps.get(id) ?? []),
  seconds,
  keys: [...keys],
  ...(plan.until === undefined ? {} : { until: plan.until }),
});
