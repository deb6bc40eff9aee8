import { access, appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact, Digest, InputArtifact } from '../../ground/artifact.ts';
import type { StepSummary } from '../../reports/record.ts';
import { stageOf } from '../catalogue.ts';
import type { Emit } from '../events.ts';
import { stepRoom } from '../guard/limits.ts';
import { fingerprintOf, keyOf, type Sources } from '../plan/fingerprint.ts';
import type { ReadyStep, Step } from '../plan/plan.ts';
import { whyRuns } from '../plan/why.ts';
import type { Fingerprint, StepRecord } from '../store/record.ts';
import type { Store } from '../store/store.ts';
import { runInChild } from './child.ts';
import { type Expecting, expectedOf } from './expect.ts';
import { digestsOf, inputsOf, readyStep } from './inputs.ts';
import type { Outcome } from './order.ts';

export interface ExecuteOptions extends Expecting {
  readonly store: Store;
  readonly sources: Sources;
  readonly threads: number;
  /** Ids of steps that run although they are cached. */
  readonly force: ReadonlySet<string>;
  /** The network is forbidden. */
  readonly offline: boolean;
  /** Megabytes that a step may take, if not what the machine has. */
  readonly memory?: number | undefined;
  /** Folder of what steps print. */
  readonly logs: string;
  /** Asks the running step to save and stop. */
  readonly abort: AbortSignal;
  /** Ends it at once. */
  readonly kill: AbortSignal;
  readonly emit: Emit;
}

export type End =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'failed';
      readonly step: string;
      /** Stable name of the problem. */
      readonly code: string;
      readonly message: string;
      readonly log: string | null;
    }
  | { readonly kind: 'interrupted'; readonly step: string };

export interface Executed {
  readonly steps: ReadonlyMap<string, StepSummary>;
  /** Keys of these steps in the store. */
  readonly keys: readonly Digest[];
  readonly end: End;
}

/** A reusable record whose every file was hashed just now. */
const reusable = async (step: Step, key: Digest, { store, emit }: ExecuteOptions): Promise<StepRecord | undefined> => {
  const record = await store.find(key);
  if (record === undefined) return undefined;
  const files = await store.dropDamaged(record);
  if (files.length === 0) return record;
  emit({ type: 'damaged', step: step.id, files });
  return undefined;
};

interface Work {
  readonly step: ReadyStep;
  readonly key: Digest;
  readonly fingerprint: Fingerprint;
  readonly inputs: Readonly<Record<string, Artifact>>;
  /** Steps that have ended, where it should be told how long the others take: before the first that runs, and behind the data. */
  readonly tells: ReadonlyMap<string, StepRecord> | undefined;
}

type Ended =
  | { readonly kind: 'record'; readonly record: StepRecord; readonly cached: boolean }
  | Exclude<End, { kind: 'done' }>;

const logFile = (logs: string, step: Step): string => join(logs, `${step.id.replaceAll('/', '.')}.log`);

/** The failure with what helps to mend it: the log for faults of the program, the last good state for all. */
const failed = async (
  { step, key }: Work,
  outcome: Extract<Outcome, { kind: 'failed' }>,
  { store, logs }: ExecuteOptions,
): Promise<Ended> => {
  const log = outcome.theirs || outcome.detail === '' ? null : logFile(logs, step);
  if (log !== null) await appendFile(log, `${outcome.detail}\n`).catch(() => undefined);
  const { folder } = store.checkpoints(key);
  const kept = await access(join(folder, 'state.bin')).then(
    () => !outcome.message.includes(folder),
    () => false,
  );
  const message = `${outcome.message}${kept ? `; its last good state is kept in ${folder}` : ''}`;
  return { kind: 'failed', step: step.id, code: outcome.code, message, log };
};

/** Runs a step in a process of its own, under its lock. */
const work = async (task: Work, options: ExecuteOptions): Promise<Ended> => {
  const { step, key, fingerprint, inputs } = task;
  const { plan, store, emit, abort, kill, threads, catalogue } = options;
  const records = await store.records();
  if (task.tells !== undefined) {
    emit({ type: 'expected', ...(await expectedOf(task.tells, records, options)) });
  }
  const why = whyRuns(records, plan.name, step.id, fingerprint);
  emit({ type: 'started', step: step.id, key, why: options.force.has(step.id) ? ['forced'] : why });
  const order = {
    pipeline: plan.name,
    ...{ step, key, fingerprint, inputs, threads },
    store: store.root,
    seed: plan.seed,
    base: plan.base,
    offline: options.offline,
    memory: stepRoom(options.memory),
    module: catalogue.module,
  };
  const outcome = await runInChild(
    order,
    { logFile: logFile(options.logs, step), entry: catalogue.entry },
    { abort, kill },
    (report) => {
      if (report.type === 'progress') emit({ type: 'progress', step: step.id, progress: report.progress });
      if (report.type === 'log') emit({ type: 'log', step: step.id, message: report.message });
    },
  );
  if (outcome.kind === 'aborted') return { kind: 'interrupted', step: step.id };
  if (outcome.kind === 'failed') return await failed(task, outcome, options);
  const record = await store.find(key);
  if (record !== undefined) return { kind: 'record', record, cached: false };
  const lost = 'the step ended, but its record cannot be read back from the store';
  return { kind: 'failed', step: step.id, code: 'lost-record', message: lost, log: null };
};

const runStep = async (task: Work, options: ExecuteOptions): Promise<Ended> => {
  const { step, key } = task;
  const { store, emit, abort, force } = options;
  const forced = force.has(step.id);
  const early = forced ? undefined : await reusable(step, key, options);
  if (early !== undefined) return { kind: 'record', record: early, cached: true };
  if (abort.aborted) return { kind: 'interrupted', step: step.id };
  let release: () => Promise<void>;
  try {
    release = await store.lock(key, abort, () => emit({ type: 'waiting', step: step.id }));
  } catch (error) {
    if (abort.aborted) return { kind: 'interrupted', step: step.id };
    throw error;
  }
  try {
    // Whoever held the lock may have done the work.
    const record = forced ? undefined : await reusable(step, key, options);
    return record === undefined ? await work(task, options) : { kind: 'record', record, cached: true };
  } finally {
    await release();
  }
};

/** Where its graphs ran, as its key has it; nothing for the CPU. */
const ranOn = ({ fingerprint: { environment } }: StepRecord): Pick<StepSummary, 'ranOn'> => {
  const { provider, device } = environment;
  if (typeof provider !== 'string' || typeof device !== 'string') return {};
  return { ranOn: { engine: provider, device } };
};

const summary = (record: StepRecord, cached: boolean, store: Store): StepSummary => {
  const outputs: Record<string, InputArtifact> = {};
  for (const [name, artifact] of Object.entries(record.outputs)) outputs[name] = store.input(artifact);
  return { cached, seconds: record.seconds, metrics: record.metrics, outputs, ...ranOn(record) };
};

/** Runs or reuses every step of a plan in order; ends at the first that fails, with what was done before it. */
export const execute = async (options: ExecuteOptions): Promise<Executed> => {
  const { plan, catalogue, store, threads, sources, emit } = options;
  const done = new Map<string, StepRecord>();
  const steps = new Map<string, StepSummary>();
  let tells: Work['tells'] = done;
  const executed = (end: End): Executed => ({ steps, keys: [...done.values()].map(({ key }) => key), end });
  for (const planned of plan.steps) {
    const step = readyStep(planned, done);
    const stage = stageOf(catalogue, step.uses);
    if (stage === undefined) throw new Error(`no stage is called "${step.uses}"`);
    const inputs = inputsOf(step, done);
    const settings = { seed: plan.seed, threads, base: plan.base, sources };
    const fingerprint = await fingerprintOf(step, stage, digestsOf(inputs), settings);
    const key = keyOf(fingerprint);
    const ended = await runStep({ step, key, fingerprint, inputs, tells }, options);
    if (ended.kind === 'failed') {
      emit({ type: 'failed', step: step.id, message: ended.message, log: ended.log });
      return executed(ended);
    }
    if (ended.kind === 'interrupted') {
      emit({ type: 'interrupted', step: step.id });
      return executed(ended);
    }
    const { record, cached } = ended;
    // How many texts there are is known from here on.
    if (!cached) tells = step.id === plan.dataset ? done : undefined;
    const { seconds, figures } = record;
    const came = { step: step.id, seconds, ...(figures === undefined ? {} : { figures }) };
    emit(cached ? { type: 'cached', ...came, key } : { type: 'finished', ...came });
    done.set(step.id, record);
    steps.set(step.id, summary(record, cached, store));
  }
  return executed({ kind: 'done' });
};
