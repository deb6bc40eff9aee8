import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildReport } from '../../reports/build.ts';
import type { RunSummary, StageSummary, StepSummary } from '../../reports/record.ts';
import type { Report } from '../../reports/report.ts';
import { type Catalogue, stageOf } from '../catalogue.ts';
import type { Emit, RunEvent } from '../events.ts';
import { Sources } from '../plan/fingerprint.ts';
import { BASELINE, DATASET, MEASURE, type Plan, PROFILE } from '../plan/plan.ts';
import { ensureFolder, Store } from '../store/store.ts';
import { version } from '../version.ts';
import { type End, type Executed, execute } from './execute.ts';
import { placeResults, writeRecords, writeReports } from './folder.ts';

export interface RunOptions {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  /** Folder of the store. */
  readonly store: string;
  /** Folder of the results. */
  readonly out: string;
  readonly threads: number;
  readonly force: ReadonlySet<string>;
  readonly abort: AbortSignal;
  readonly kill: AbortSignal;
  readonly emit: Emit;
}

export interface RunResult {
  readonly end: End;
  /** Null after an interruption: the last report stays as it is. */
  readonly report: Report | null;
}

const LARGEST_LOG = 8 * 1024 * 1024;
const LOGGED_PROGRESS_MS = 1000;

/** Appends events to events.jsonl, progress at most once a second; a log grown large is set aside. */
const eventLog = (file: string): Emit => {
  try {
    if (statSync(file).size > LARGEST_LOG) renameSync(file, `${file}.old`);
  } catch {
    // There is none yet.
  }
  let last = 0;
  return (event) => {
    const now = Date.now();
    if (event.type === 'progress' && now - last < LOGGED_PROGRESS_MS) return;
    if (event.type === 'progress') last = now;
    appendFileSync(file, `${JSON.stringify({ at: new Date(now).toISOString(), ...event })}\n`);
  };
};

/** Seconds of internal steps that no other stage asked for. */
const extraSeconds = (helpers: readonly string[], plan: Plan, steps: ReadonlyMap<string, StepSummary>): number =>
  helpers
    .filter((helper) => plan.stages.filter((stage) => stage.helpers.includes(helper)).length === 1)
    .reduce((sum, helper) => sum + (steps.get(helper)?.seconds ?? 0), 0);

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

const runSummary = ({ plan, threads, catalogue }: RunOptions, { steps }: Executed, seconds: number): RunSummary => ({
  name: plan.name,
  created: new Date().toISOString(),
  yaml: plan.yaml,
  overrides: plan.overrides,
  seed: plan.seed,
  threads,
  decantVersion: version,
  data: plan.data,
  dataset: steps.get(DATASET) ?? null,
  baseline: steps.get(BASELINE) ?? null,
  measurement: steps.get(MEASURE) ?? null,
  profile: steps.get(PROFILE) ?? null,
  stages: plan.stages.map(({ id, uses, inputs, helpers, evaluation }) => ({
    id,
    uses,
    ...behaviour(id, uses, plan, catalogue),
    inputs,
    step: steps.get(id) ?? null,
    evaluation: evaluation === null ? null : (steps.get(evaluation) ?? null),
    extraSeconds: extraSeconds(helpers, plan, steps),
  })),
  helpers: [...new Set(plan.stages.flatMap(({ helpers }) => helpers))].flatMap((id) => steps.get(id) ?? []),
  seconds,
});

/** Runs a plan and leaves report, event log, models and deploy folders in its folder, also when a later stage fails. */
export const runPipeline = async (options: RunOptions): Promise<RunResult> => {
  const { plan, out, threads, catalogue, abort, kill, force } = options;
  const started = performance.now();
  await ensureFolder(out, 'the folder of results', '--out');
  const store = await Store.open(options.store);
  const log = eventLog(join(out, 'events.jsonl'));
  const emit = (event: RunEvent): void => {
    log(event);
    options.emit(event);
  };
  const steps = plan.steps.map(({ id, uses, role }) => ({ id, uses, role }));
  emit({ type: 'run-started', name: plan.name, steps, seed: plan.seed, threads, process: process.pid });
  const logs = join(out, 'logs');
  const executed = await execute({
    ...{ plan, catalogue, store, threads, force, logs, abort, kill, emit },
    sources: new Sources(),
  });
  if (executed.end.kind === 'interrupted') return { end: executed.end, report: null };
  const seconds = (performance.now() - started) / 1000;
  const summary = runSummary(options, executed, seconds);
  const report = await buildReport(summary);
  await writeRecords(out, summary);
  await placeResults(out, plan, executed.steps);
  await writeReports(out, report);
  const reused = [...executed.steps.values()].filter(({ cached }) => cached).length;
  const complete = executed.end.kind === 'done';
  emit({ type: 'run-finished', complete, seconds, ran: executed.steps.size - reused, reused });
  return { end: executed.end, report };
};
