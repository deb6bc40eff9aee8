import { dirname, join, resolve } from 'node:path';
import { stageOf } from '../catalogue.ts';
import { type Diagnostic, requestProblems } from '../diagnostic.ts';
import type { Plans } from '../load.ts';
import { closure, type Plan, type Step } from '../plan/plan.ts';
import { defaultThreads } from '../plan/threads.ts';
import { nameHints } from '../yaml/suggest.ts';
import type { PlanOptions } from './types/pipelines.ts';

/** Something that an option names and that is not there. */
const unknown = (option: string, id: string, message: string, known: readonly string[], what: string): Error => {
  const text = `${option} ${id}`;
  const span: Diagnostic['span'] = { source: { name: option, text }, start: option.length + 1, end: text.length };
  return requestProblems([{ code: `unknown-${what}`, message, span, hints: nameHints(id, known, `${what}s`) }]);
};

const knownStage = (plan: Plan, id: string, option: string, also: readonly string[] = []): void => {
  const known = [...plan.stages.map((stage) => stage.id), ...also];
  if (!known.includes(id)) throw unknown(option, id, `there is no stage "${id}"`, known, 'stage');
};

/** The variants that are asked for; all where none is. */
const chosen = (plans: Plans, asked: readonly string[]): Plans => {
  const known = plans.flatMap(({ variant }) => variant ?? []);
  const strange = asked.find((id) => !known.includes(id));
  if (strange !== undefined) {
    const message = known.length === 0 ? 'the file has no variants' : `there is no variant "${strange}"`;
    throw unknown('--variant', strange, message, known, 'variant');
  }
  const variants = known.filter((id) => asked.length === 0 || asked.includes(id));
  const [first, ...others] = plans.filter(({ variant }) => variant === undefined || variants.includes(variant));
  const named = (plan: Plan): Plan => (plan.variant === undefined ? plan : { ...plan, variants });
  return first === undefined ? plans : [named(first), ...others.map(named)];
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

/** Plans, and where they run. */
export interface Planned {
  /** One, or one for each variant of the file that is asked for. */
  readonly plans: Plans;
  readonly store: string;
  readonly out: string;
  readonly threads: number;
  /** Ids of steps that run although they are cached. */
  readonly force: ReadonlySet<string>;
}

/** The plans of a file under some options. */
export const planFrom = async (file: string, options: PlanOptions): Promise<Planned> => {
  const { decantCatalogue } = await import('../kinds.ts');
  const { loadPipelines } = await import('../load.ts');
  const { set = [], force = [], engine, until, remeasure = false, variants = [] } = options;
  const settings = engine === undefined ? set : [...set, `engine=${engine}`];
  const [whole, ...wholes] = chosen(await loadPipelines(file, settings, decantCatalogue), variants);
  if (until !== undefined) knownStage(whole, until, '--until');
  const cut = (plan: Plan): Plan => (until === undefined ? plan : cutAfter(plan, until));
  const [plan, ...others] = [cut(whole), ...wholes.map(cut)];
  // Times are the machine's: steps that tell them have it in their keys.
  const isTimed = ({ uses }: Step): boolean => stageOf(decantCatalogue, uses)?.environment === 'machine';
  const plans: Plans = [plan, ...others];
  const helpers = plans.flatMap(({ stages }) => stages.flatMap((stage) => stage.helpers));
  for (const id of force) knownStage(plan, id, '--force', helpers);
  const timed = plans.flatMap(({ steps }) => steps.filter(isTimed).map(({ id }) => id));
  const folder = dirname(resolve(file));
  return {
    plans,
    store: resolve(options.store ?? join(folder, '.decant', 'store')),
    out: resolve(options.out ?? join(folder, 'runs', plan.name)),
    threads: options.threads ?? defaultThreads(),
    force: new Set([...force, ...(remeasure ? timed : [])]),
  };
};
