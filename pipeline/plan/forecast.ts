import type { Forecast } from '../api/types/pipelines.ts';
import type { Catalogue } from '../catalogue.ts';
import { stageOf } from '../catalogue.ts';
import { digestsOf, inputsOf, readyStep } from '../execute/execute.ts';
import type { StepRecord } from '../store/record.ts';
import type { Store } from '../store/store.ts';
import { type FingerprintOptions, fingerprintOf, keyOf } from './fingerprint.ts';
import { neededBy, type Plan, type Step } from './plan.ts';
import { estimate, whyRuns } from './why.ts';

interface Options extends Omit<FingerprintOptions, 'seed' | 'base'> {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly store: Store;
  readonly force: ReadonlySet<string>;
}

/**
 * What a run would do, without running anything. A step behind one that runs "depends": it is reused after all when that
 * one makes the same bytes again.
 */
export const forecast = async (options: Options): Promise<readonly Forecast[]> => {
  const { plan, catalogue, store, force, threads, sources } = options;
  const records = await store.records();
  const done = new Map<string, StepRecord>();
  const forecasts: Forecast[] = [];
  for (const step of plan.steps) forecasts.push(await one(step));
  return forecasts;

  async function one(step: Step): Promise<Forecast> {
    const stage = stageOf(catalogue, step.uses);
    if (stage === undefined) throw new Error(`no stage is called "${step.uses}"`);
    const expected = estimate(records, plan.name, step.id, step.uses) ?? null;
    const { id, uses } = step;
    const missing = [...new Set(neededBy(step))].filter((from) => !done.has(from));
    if (missing.length > 0) {
      const known = records.some((record) => record.pipeline === plan.name && record.step === id);
      if (!known) return { step: id, uses, state: 'run', why: ['never run before'], seconds: expected };
      return { step: id, uses, state: 'depends', why: [`input from ${missing.join(', ')}`], seconds: expected };
    }
    const inputs = digestsOf(inputsOf(step, done));
    const fingerprint = await fingerprintOf(readyStep(step, done), stage, inputs, {
      seed: plan.seed,
      base: plan.base,
      threads,
      sources,
    });
    const record = await store.find(keyOf(fingerprint));
    if (force.has(id)) return { step: id, uses, state: 'run', why: ['forced'], seconds: expected };
    if (record === undefined) {
      return { step: id, uses, state: 'run', why: whyRuns(records, plan.name, id, fingerprint), seconds: expected };
    }
    const damaged = await store.inspect(record);
    if (damaged.length > 0) {
      return { step: id, uses, state: 'run', why: [`damaged in the store: ${damaged.join(', ')}`], seconds: expected };
    }
    done.set(id, record);
    return { step: id, uses, state: 'cached', why: [], seconds: record.seconds };
  }
};
