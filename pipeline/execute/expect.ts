import { type Catalogue, stageOf } from '../catalogue.ts';
import type { RunEvent } from '../events.ts';
import { fingerprintOf, keyOf, type Sources } from '../plan/fingerprint.ts';
import { History, textsIn } from '../plan/history.ts';
import { ownSteps } from '../plan/members.ts';
import { neededBy, type Plan, type Step } from '../plan/plan.ts';
import type { StepRecord } from '../store/record.ts';
import { digestsOf, inputsOf, readyStep } from './inputs.ts';

/** Seconds by step, as far as they can be told. */
export type Seconds = ReadonlyMap<string, number>;

export interface Expecting {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly threads: number;
  readonly sources: Sources;
  /** Every run of the command, this one among them; absent where it is the only one. */
  readonly members?: readonly Plan[] | undefined;
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

/** Steps of a run that the store does not have, as far as their inputs tell. */
const openSteps = async (
  plan: Plan,
  records: ReadonlyMap<string, StepRecord>,
  { catalogue, threads, sources }: Expecting,
): Promise<readonly Step[]> => {
  const done = new Map<string, StepRecord>();
  const open: Step[] = [];
  for (const step of plan.steps) {
    const stage = stageOf(catalogue, step.uses);
    const isReady = neededBy(step).every((id) => done.has(id));
    const settings = { seed: plan.seed, base: plan.base, threads, sources };
    const record =
      stage === undefined || !isReady
        ? undefined
        : records.get(
            keyOf(await fingerprintOf(readyStep(step, done), stage, digestsOf(inputsOf(step, done)), settings)),
          );
    if (record === undefined) open.push(step);
    else done.set(step.id, record);
  }
  return open;
};

/** What the runs that come after this one should take besides what they share with those before them. */
const laterSeconds = async (
  secondsOf: (step: Step) => number | undefined,
  records: readonly StepRecord[],
  expecting: Expecting,
): Promise<number> => {
  const { plan, catalogue, members = [] } = expecting;
  const byKey = new Map(records.map((record) => [record.key, record]));
  let seconds = 0;
  for (const [at, member] of members.entries()) {
    if (at <= members.indexOf(plan)) continue;
    const own = ownSteps(members, at, catalogue);
    const open = await openSteps(member, byKey, expecting);
    for (const step of open) seconds += own.has(step.id) ? (secondsOf(step) ?? 0) : 0;
  }
  return seconds;
};

/** What the steps that have not ended should take, and the runs that come after this one: by earlier runs, or by trials. */
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
  const seconds = plan.steps.flatMap((step) => {
    const own = done.has(step.id) ? undefined : secondsOf(step);
    return own === undefined ? [] : [[step.id, own] as const];
  });
  return { seconds: Object.fromEntries(seconds), later: await laterSeconds(secondsOf, records, expecting) };
};
