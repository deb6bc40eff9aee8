import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultEngine, openEngine } from '../../engine/engines/index.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { peakBytes } from '../../ground/peak.ts';
import type { AnyStage, StageContext } from '../../stages/stage.ts';
import type { StepRecord } from '../store/record.ts';
import { type Output, Store } from '../store/store.ts';
import { failureOf } from './failure.ts';
import type { Order, Outcome, Report } from './order.ts';

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

const context = (
  order: Order,
  store: Store,
  workspace: string,
  outputs: Output[],
  signal: AbortSignal,
  report: (report: Report) => void,
): StageContext => ({
  engine: once(() => openEngine(order.step.engine ?? defaultEngine)),
  seed: order.seed,
  threads: order.threads,
  signal,
  checkpoints: store.checkpoints(order.key),
  progress: (progress) => report({ type: 'progress', progress }),
  log: (message) => report({ type: 'log', message }),
  memory: { ...order.memory, foresee: (need) => report({ type: 'need', need }) },
  output: async (name, kind) => {
    const folder = join(workspace, name);
    await mkdir(folder, { recursive: true });
    if (!outputs.some((output) => output.name === name)) outputs.push({ name, kind, folder });
    return folder;
  },
  base: order.base,
  offline: order.offline,
});

interface Limits {
  readonly signal: AbortSignal;
  readonly isWanted: () => boolean;
}

/** What can be said at once of the model that a step asked. */
const told = async (
  { place }: AnyStage,
  outputs: readonly Output[],
  inputs: Readonly<Record<string, InputArtifact>>,
): Promise<Pick<StepRecord, 'figures'>> => {
  if (place !== 'each-model') return {};
  const figures = await (await import('./figures.ts')).figuresOf(outputs, inputs);
  return figures === undefined ? {} : { figures };
};

/** Runs a stage in a folder of its own and publishes what it made there. */
const runStage = async (
  order: Order,
  { stage, store, workspace }: { readonly stage: AnyStage; readonly store: Store; readonly workspace: string },
  { signal, isWanted }: Limits,
  report: (report: Report) => void,
): Promise<Outcome> => {
  const outputs: Output[] = [];
  const inputs: Record<string, InputArtifact> = {};
  for (const [name, artifact] of Object.entries(order.inputs)) inputs[name] = store.input(artifact);
  const started = performance.now();
  signal.throwIfAborted();
  const metrics = await stage.run(inputs, order.step.config, context(order, store, workspace, outputs, signal, report));
  const seconds = (performance.now() - started) / 1000;
  const peak = peakBytes();
  if (!isWanted()) return { kind: 'aborted' };
  const { pipeline, key, fingerprint } = order;
  const figures = await told(stage, outputs, inputs);
  await store.publish({ key, pipeline, step: order.step.id, fingerprint, metrics, seconds, peak, ...figures }, outputs);
  return { kind: 'done' };
};

/**
 * Runs one step and publishes what it made, unless the run that ordered it is gone: its successor may be at work on the
 * same step. Never throws: how it ended is the result.
 */
export const perform = async (
  order: Order,
  stages: readonly AnyStage[],
  limits: Limits,
  report: (report: Report) => void,
): Promise<Outcome> => {
  try {
    const stage = stages.find(({ uses }) => uses === order.step.uses);
    if (stage === undefined) throw new Error(`no stage is called "${order.step.uses}"`);
    const store = new Store(order.store);
    const workspace = await store.workspace(order.key);
    try {
      return await runStage(order, { stage, store, workspace }, limits, report);
    } finally {
      await store.discard(workspace).catch(() => undefined);
    }
  } catch (error) {
    return limits.signal.aborted ? { kind: 'aborted' } : failureOf(error);
  }
};
