import { dirname, join, resolve } from 'node:path';
import { stageOf } from '../catalogue.ts';
import { type Diagnostic, requestProblems } from '../diagnostic.ts';
import { closure, type Plan, type Step } from '../plan/plan.ts';
import { defaultThreads } from '../plan/threads.ts';
import { nameHints } from '../yaml/suggest.ts';
import type { PlanOptions } from './types/pipelines.ts';

const knownStage = (plan: Plan, id: string, option: string, also: readonly string[] = []): void => {
  if (plan.stages.some((stage) => stage.id === id) || also.includes(id)) return;
  const text = `${option} ${id}`;
  const span: Diagnostic['span'] = {
    source: { name: option, text },
    start: option.length + 1,
    end: text.length,
  };
  const known = [...plan.stages.map((stage) => stage.id), ...also];
  const hints = nameHints(id, known, 'stages');
  throw requestProblems([{ code: 'unknown-stage', message: `there is no stage "${id}"`, span, hints }]);
};

const isOverAll = ({ place }: Step): boolean => place === 'all-models';

/** The plan without what comes after a stage. Latency is measured over the models that remain. */
const cutAfter = (plan: Plan, id: string): Plan => {
  const end = plan.stages.findIndex((stage) => stage.id === id) + 1;
  const kept = plan.stages.slice(0, end);
  const ids = kept.flatMap((stage) => [stage.id, ...stage.about]);
  const models = new Set(kept.map((stage) => stage.id));
  const steps = plan.steps.map((step) =>
    isOverAll(step)
      ? {
          ...step,
          inputs: Object.fromEntries(
            Object.entries(step.inputs).filter(([, ref]) => models.has(ref.step) || ref.step === plan.dataset),
          ),
        }
      : step,
  );
  const cut = { ...plan, steps, stages: kept, until: id, leftOut: plan.stages.slice(end).map((stage) => stage.id) };
  const measured = steps.filter((step) => isOverAll(step) || step.place === 'data').map((step) => step.id);
  return { ...cut, steps: closure(cut, [...ids, ...measured]) };
};

/** A plan, and where it runs. */
export interface Planned {
  readonly plan: Plan;
  readonly store: string;
  readonly out: string;
  readonly threads: number;
  /** Ids of steps that run although they are cached. */
  readonly force: ReadonlySet<string>;
}

/** The plan of a file under some options. */
export const planFrom = async (file: string, options: PlanOptions): Promise<Planned> => {
  const { decantCatalogue } = await import('../kinds.ts');
  const { loadPipeline } = await import('../load.ts');
  const { set = [], force = [], engine, until, remeasure = false } = options;
  const whole = await loadPipeline(file, engine === undefined ? set : [...set, `engine=${engine}`], decantCatalogue);
  if (until !== undefined) knownStage(whole, until, '--until');
  const plan = until === undefined ? whole : cutAfter(whole, until);
  // Times are the machine's: steps that tell them have it in their keys.
  const isTimed = ({ uses }: Step): boolean => stageOf(decantCatalogue, uses)?.environment === 'machine';
  const helpers = plan.stages.flatMap((stage) => stage.helpers);
  for (const id of force) knownStage(plan, id, '--force', helpers);
  const folder = dirname(resolve(file));
  return {
    plan,
    store: resolve(options.store ?? join(folder, '.decant', 'store')),
    out: resolve(options.out ?? join(folder, 'runs', plan.name)),
    threads: options.threads ?? defaultThreads(),
    force: new Set([...force, ...(remeasure ? plan.steps.filter(isTimed).map(({ id }) => id) : [])]),
  };
};
