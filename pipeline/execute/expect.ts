import type { TextCounts } from '../../stages/expected.ts';
import { type Catalogue, stageOf } from '../catalogue.ts';
import type { RunEvent } from '../events.ts';
import { countsIn, History } from '../plan/history.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { varyingSteps } from '../plan/seeds.ts';
import type { StepRecord } from '../store/record.ts';

interface Run {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
}

/** Texts that a run reads, once it has read them. */
export const textsIn = ({ dataset }: Plan, done: ReadonlyMap<string, StepRecord>): TextCounts | undefined => {
  const record = done.get(dataset);
  return record === undefined ? undefined : countsIn(record.metrics);
};

/** What the steps that have not ended should take, and the seeds that come after this one, by earlier runs. */
export const expectedOf = (
  done: ReadonlyMap<string, StepRecord>,
  records: readonly StepRecord[],
  { plan, catalogue }: Run,
): Omit<Extract<RunEvent, { type: 'expected' }>, 'type'> => {
  const [history, texts] = [new History(records), textsIn(plan, done)];
  const secondsOf = (step: Step): number | undefined =>
    history.seconds(plan.name, step, stageOf(catalogue, step.uses), texts);
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
