import type { Forecast } from '../api/types/pipelines.ts';
import type { Catalogue } from '../catalogue.ts';
import { stageOf } from '../catalogue.ts';
import { digestsOf, inputsOf, readyStep } from '../execute/inputs.ts';
import type { StepRecord } from '../store/record.ts';
import type { Store } from '../store/store.ts';
import { type FingerprintOptions, fingerprintOf, keyOf } from './fingerprint.ts';
import { History, textsIn } from './history.ts';
import { neededBy, type Plan, type Step } from './plan.ts';
import { whyRuns } from './why.ts';

interface Options extends Omit<FingerprintOptions, 'seed' | 'base'> {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly store: Store;
  readonly force: ReadonlySet<string>;
}

type Figures = Pick<Forecast, 'seconds' | 'memory' | 'disk'>;

/** Bytes of what a step left; of exported folders the run's folder has a copy. */
const diskOf = ({ outputs }: StepRecord): number =>
  Object.values(outputs).reduce((sum, { kind, size }) => sum + (kind === 'folder' ? 2 : 1) * size, 0);

const figuresOf = (record: StepRecord | undefined, seconds: number | undefined): Figures => ({
  seconds: seconds ?? null,
  memory: record?.peak ?? null,
  disk: record === undefined ? null : diskOf(record),
});

const byHistory = (figures: Figures): Figures & Pick<Forecast, 'sources'> => {
  const sourceOf = (figure: number | null) => (figure === null ? null : 'history');
  const { seconds, memory, disk } = figures;
  return { ...figures, sources: { seconds: sourceOf(seconds), memory: sourceOf(memory), disk: sourceOf(disk) } };
};

export interface Forecasts {
  readonly steps: readonly Forecast[];
  /** Steps that would run and never ran before: figures of them are those of others of their kind. */
  readonly strange: ReadonlySet<string>;
}

/**
 * What a run would do, without running anything. A step behind one that runs "depends": it is reused after all when that
 * one makes the same bytes again.
 */
export const forecast = async (options: Options): Promise<Forecasts> => {
  const { plan, catalogue, store, force, threads, sources } = options;
  const records = await store.records();
  const history = new History(records);
  const done = new Map<string, StepRecord>();
  const steps: Forecast[] = [];
  for (const step of plan.steps) steps.push(await one(step));
  const isStrange = ({ step, state }: Forecast): boolean => state !== 'cached' && !history.knows(plan.name, step);
  return { steps, strange: new Set(steps.filter(isStrange).map(({ step }) => step)) };

  async function one(step: Step): Promise<Forecast> {
    const stage = stageOf(catalogue, step.uses);
    if (stage === undefined) throw new Error(`no stage is called "${step.uses}"`);
    const texts = textsIn(plan, done);
    const { id, uses } = step;
    const own = { step: id, uses };
    const nearest = history.nearest(plan.name, step);
    const expected = byHistory(figuresOf(nearest, history.seconds(plan.name, step, stage, texts)));
    const missing = [...new Set(neededBy(step))].filter((from) => !done.has(from));
    if (missing.length > 0) {
      if (!history.knows(plan.name, id)) return { ...own, state: 'run', why: ['never run before'], ...expected };
      return { ...own, state: 'depends', why: [`input from ${missing.join(', ')}`], ...expected };
    }
    const inputs = digestsOf(inputsOf(step, done));
    const fingerprint = await fingerprintOf(readyStep(step, done), stage, inputs, {
      seed: plan.seed,
      base: plan.base,
      threads,
      sources,
    });
    const record = await store.find(keyOf(fingerprint));
    if (force.has(id)) return { ...own, state: 'run', why: ['forced'], ...expected };
    if (record === undefined) {
      return { ...own, state: 'run', why: whyRuns(records, plan.name, id, fingerprint), ...expected };
    }
    const damaged = await store.inspect(record);
    if (damaged.length > 0) {
      return { ...own, state: 'run', why: [`damaged in the store: ${damaged.join(', ')}`], ...expected };
    }
    done.set(id, record);
    return { ...own, state: 'cached', why: [], ...byHistory(figuresOf(record, record.seconds)) };
  }
};
