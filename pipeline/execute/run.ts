import { join } from 'node:path';
import { shownNumber } from '../../reports/history.ts';
import type { RunSummary } from '../../reports/record.ts';
import type { Report } from '../../reports/report.ts';
import { seedFolder } from '../../reports/seed-folder.ts';
import { withSeeds } from '../../reports/seeds.ts';
import type { Catalogue } from '../catalogue.ts';
import type { Emit, RunEvent } from '../events.ts';
import { tensorBoard } from '../log/tensorboard.ts';
import { Sources } from '../plan/fingerprint.ts';
import { membersOf, ownSteps } from '../plan/members.ts';
import type { Plan } from '../plan/plan.ts';
import { noteAttempt, noteResults } from '../store/attempts.ts';
import { acquire } from '../store/locks.ts';
import { ensureFolder, Store } from '../store/store.ts';
import { sweepResults } from '../store/sweep.ts';
import { beginUse } from '../store/use.ts';
import { estimator } from './estimator.ts';
import { type End, type Executed, execute } from './execute.ts';
import { placeRecords, placeResults, writeCards, writeReports } from './folder.ts';
import { keepShown, keptNumber, nextNumber, removeOtherRecords, showKept } from './history.ts';
import { eventLog } from './log.ts';
import { asOfNow, basisOf, rememberReports, standingReport, writtenIn } from './standing.ts';
import { runSummary } from './summary.ts';

export interface RunOptions {
  /** One, or one for each variant of the file. */
  readonly plans: readonly [Plan, ...Plan[]];
  readonly catalogue: Catalogue;
  /** Folder of the store. */
  readonly store: string;
  /** Folder of the results. */
  readonly out: string;
  readonly threads: number;
  readonly force: ReadonlySet<string>;
  /** The network is forbidden. */
  readonly offline: boolean;
  /** Megabytes that a step may take, if not what the machine has. */
  readonly memory?: number | undefined;
  readonly abort: AbortSignal;
  readonly kill: AbortSignal;
  readonly emit: Emit;
}

/** What all runs of a command have in common. */
export interface PlanRunOptions extends Omit<RunOptions, 'store' | 'plans'> {
  readonly plan: Plan;
  readonly sources: Sources;
  readonly store: Store;
  /** Every run of the command. */
  readonly members: readonly Plan[];
  /** Folder whose report is kept before this run's takes its place; its own, if it is not one of several seeds. */
  readonly keepIn?: string;
}

/** What the run of one seed came to. */
interface Ran {
  readonly end: End;
  /** Null after an interruption: the last report stays as it is. */
  readonly results: Results | null;
}

interface Results {
  readonly report: Report;
  readonly summary: RunSummary;
  readonly steps: Executed['steps'];
}

export interface RunResult {
  readonly end: End;
  /** The one of several seeds in whose run it ended; null where there is one only. */
  readonly seed: number | null;
  /** Null after an interruption: the last report stays as it is. */
  readonly report: Report | null;
}

/** What is to lie in a folder, and how its report is made where the one that lies there does not stand. */
interface Leaving extends Omit<Results, 'report'> {
  /** The summaries that the report is made from: one a seed. */
  readonly from: readonly RunSummary[];
  /** Keeps the report that lay there before this one takes its place. */
  keep(): Promise<void>;
  make(): Report | Promise<Report>;
}

/** Makes a report, or shows the one that was made from the same before. One that was damaged keeps its number. */
const replaceReport = async (out: string, basis: string, again: boolean, leaving: Leaving): Promise<Report> => {
  const { summary, make } = leaving;
  const kept = await keptNumber(out, basis);
  if (kept !== undefined) await showKept(out, kept, summary);
  const shown = kept === undefined ? null : await writtenIn(out);
  const standing = shown?.basis === basis ? await standingReport(out, shown) : undefined;
  if (standing !== undefined) return standing;
  const number = again ? ((await shownNumber(out)) ?? 1) : await nextNumber(out);
  const report = await make();
  await writeReports(out, summary, report);
  await rememberReports(out, summary, { number, basis });
  return report;
};

/** Leaves report, records, models and exported folders in a folder. Another run's report is kept before. */
const leave = async (out: string, plan: Plan, leaving: Leaving): Promise<Report> => {
  const { from, summary, steps } = leaving;
  // Two runs may end in one folder at once; it takes seconds, so that no interruption has to reach it.
  const release = await acquire(out, '.results', new AbortController().signal, () => undefined);
  try {
    const basis = basisOf(from);
    const written = await writtenIn(out);
    const again = written?.basis === basis;
    const standing = again ? await standingReport(out, written) : undefined;
    if (!again) await leaving.keep();
    await placeRecords(out, summary);
    await placeResults(out, plan, steps);
    const report = standing ?? (await replaceReport(out, basis, again, leaving));
    if (standing === undefined) await removeOtherRecords(out, summary);
    await writeCards(out, report);
    return asOfNow(report, summary);
  } finally {
    await release();
  }
};

/** Of the steps that are to run again, those that no earlier run of the command did run again. */
const forcedIn = ({ plan, members, force, catalogue }: PlanRunOptions): ReadonlySet<string> => {
  const own = ownSteps(members, members.indexOf(plan), catalogue);
  return new Set([...force].filter((id) => own.has(id)));
};

/** Runs the plan of one seed and leaves what came of it, also when a later stage fails. */
const runSeed = async (options: PlanRunOptions): Promise<Ran> => {
  const { plan, out, threads, catalogue, store, abort, kill, offline, memory, sources, members } = options;
  const force = forcedIn(options);
  const started = performance.now();
  await ensureFolder(out, 'the folder of results', '--out');
  const { name, seed, seeds, yaml, overrides, until } = plan;
  const attempt = noteAttempt(store, { out, name, of: { yaml, overrides, until, seed, threads } });
  const log = eventLog(join(out, 'events.jsonl'));
  const board = plan.log === 'tensorboard' ? tensorBoard(join(out, plan.log)) : undefined;
  const said = new Map<string, string>();
  const emit = (event: RunEvent): void => {
    if (event.type === 'cached') attempt.reuses(event.key);
    if (event.type === 'started') attempt.begins(event.key);
    // The steps of one model after the other say the same of the data: it is said once.
    if (event.type === 'log' && (said.get(event.message) ?? event.step) !== event.step) return;
    if (event.type === 'log') said.set(event.message, event.step);
    log(event);
    board?.event(event);
    options.emit(event);
  };
  const steps = plan.steps.map(({ id, uses, place }) => ({ id, uses, place }));
  const which = plan.variant === undefined ? {} : { variant: plan.variant, variants: plan.variants ?? [] };
  emit({ type: 'run-started', name, steps, ...which, seed, seeds, threads, process: process.pid });
  const logs = join(out, 'logs');
  const executed = await execute({
    ...{ plan, catalogue, store, threads, force, offline, memory, logs, abort, kill, emit, sources, members },
    estimate: estimator(options, emit),
  });
  const { end } = executed;
  if (end.kind === 'interrupted') return { end, results: null };
  const seconds = (performance.now() - started) / 1000;
  const summary = runSummary(options, executed, seconds);
  const { steps: ended } = executed;
  const report = await leave(out, plan, {
    ...{ from: [summary], summary, steps: ended },
    keep: () => keepShown(options.keepIn ?? out),
    make: async () => (await import('../../reports/build.ts')).buildReport(summary),
  });
  board?.finished(report);
  if (end.kind === 'done') await attempt.succeeded();
  const reused = [...executed.steps.values()].filter(({ cached }) => cached).length;
  emit({ type: 'run-finished', complete: end.kind === 'done', seconds, ran: executed.steps.size - reused, reused });
  return { end, results: { report, summary, steps: ended } };
};

/** Runs the plan of every seed, each in a folder of its own; results of the first, and what all say, go above them. */
const runSeeds = async (options: PlanRunOptions, own: readonly Plan[]): Promise<RunResult> => {
  const { plan, out } = options;
  const finished: Results[] = [];
  let last: Pick<RunResult, 'end' | 'seed'> = { end: { kind: 'done' }, seed: null };
  for (const one of own) {
    const { end, results } = await runSeed({
      ...options,
      ...{ plan: one, out: join(out, seedFolder(one.seed)), keepIn: out },
    });
    last = { end, seed: one.seed };
    if (results === null) return { ...last, report: null };
    finished.push(results);
    if (end.kind === 'failed') break;
  }
  const [first] = finished;
  if (first === undefined) return { ...last, report: null };
  const { steps } = first;
  const report = withSeeds(finished.map((results) => results.report));
  await leave(out, plan, {
    from: finished.map(({ summary }) => summary),
    summary: { ...first.summary, seeds: finished.map(({ summary }) => summary.seed) },
    steps,
    keep: () => keepShown(out),
    make: () => report,
  });
  return { ...last, report };
};

/** Runs the plan of a file, or of one of its variants, once for each of its seeds, in a store that is open for it. */
export const runPlan = async (options: PlanRunOptions): Promise<RunResult> => {
  const { plan, out, store, members } = options;
  await ensureFolder(out, 'the folder of results', '--out');
  await sweepResults(out);
  noteResults(store, out);
  const own = members.filter(({ variant }) => variant === plan.variant);
  if (own.length > 1) return await runSeeds(options, own);
  const { end, results } = await runSeed({ ...options, plan: own[0] ?? plan });
  return { end, seed: null, report: results?.report ?? null };
};

/** Does work in a store that nobody frees meanwhile; undefined where that is stopped before it begins. */
export const inStore = async <Result>(
  options: RunOptions,
  work: (common: Omit<PlanRunOptions, 'plan'>) => Promise<Result>,
): Promise<Result | undefined> => {
  const { plans, abort, store: folder, ...others } = options;
  await ensureFolder(others.out, 'the folder of results', '--out');
  const store = await Store.open(folder);
  const endUse = await beginUse(store, abort).catch((error: unknown) => {
    if (abort.aborted) return undefined;
    throw error;
  });
  if (endUse === undefined) return undefined;
  try {
    // Hashed once: files that change meanwhile do not make the data of runs differ.
    return await work({ ...others, abort, store, members: membersOf(plans), sources: new Sources() });
  } finally {
    await endUse();
  }
};

/** What a command comes to that was stopped before it began. */
export const notBegun = (plan: Plan): RunResult => ({
  ...{ end: { kind: 'interrupted', step: plan.dataset }, seed: null, report: null },
});

/**
 * Runs a plan, once for each of its seeds, and leaves reports, event log, models and exported folders in its folder, also
 * when a later stage fails. What runs that were killed left behind is swept first.
 */
export const runPipeline = async (options: RunOptions): Promise<RunResult> => {
  const [plan] = options.plans;
  return (await inStore(options, (common) => runPlan({ ...common, plan }))) ?? notBegun(plan);
};
