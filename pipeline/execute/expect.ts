import { type Catalogue, stageOf } from '../catalogue.ts';
import type { RunEvent } from '../events.ts';
import { History, textsIn } from '../plan/history.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { varyingSteps } from '../plan/seeds.ts';
import type { StepRecord } from '../store/record.ts';

/** Seconds by step, as far as they can be told. */
export type Seconds = ReadonlyMap<string, number>;

export interface Expecting {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  /** Tries models of the sizes to come, where that is worth its time, on the data that was read; for steps that never ran. */
  readonly estimate?: ((steps: ReadonlySet<string>, data: StepRecord) => Promise<Seconds>) | undefined;
}

const estimatesOf = async (
  done: ReadonlyMap<string, StepRecord>,
  history: History,
  { plan, estimate }: Expecting,
): Promise<Seconds> => {
  const strange = plan.steps.filter(({ id }) => !done.has(id) && !history.knows(plan.name, id)).map(({ id }) => id);
  const data = done.get(plan.dataset);
  if (estimate === undefined || strange.length === 0 || data === undefined) return new Map();
  return await estimate(new Set(strange), data);
};

/** What the steps that have not ended should take, and the seeds that come after this one: by earlier runs, or by trials. */
export const expectedOf = async (
  done: ReadonlyMap<string, StepRecord>,
  records: readonly StepRecord[],
  expecting: Expecting,
): Promise<Omit<Extract<RunEvent, { type: 'expected' }>, 'type'>> => {
  const { plan, catalogue } = expecting;
  const [history, texts] = [new History(records), textsIn(plan, done)];
  const estimates = await estimatesOf(done, history, expecting);
  const secondsOf = (step: Step): number | undefined =>
    estimates.get(step.id) ?? history.seconds(plan.name, step, stageOf(catalogue, step.uses), texts);
  const varying = varyingSteps(plan, catalogue);
  const ofSeed = plan.steps.filter(({ id }) => varying.has(id)).reduce((sum, step) => sum + (secondsOf(step) ?? 0), 0);
  const seconds = plan.steps.flatMap((step) => {
    const own = done.has(step.id) ? undefined : secondsOf(step);
    return own === undefined ? [] : [[step.id, own] as const];
  });
  return {
    seconds: Object.fromEntries(seconds),
    later: ofSeed * (plan.seeds.length - 1 - plan.seeds.indexOf(plan.seed)),
  };
};
