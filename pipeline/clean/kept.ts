import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../ground/errors.ts';
import { type Entry, entriesIn } from '../../reports/history.ts';
import type { RunSummary, StepSummary } from '../../reports/record.ts';
import { damageOf, readSummary, seedFolders } from '../../reports/records.ts';
import { requestError } from '../diagnostic.ts';
import { attemptsIn, type NotedAttempt, resultsOf } from '../store/attempts.ts';
import type { StepRecord } from '../store/record.ts';
import type { Store } from '../store/store.ts';

/** Which runs are kept: all, the newest of each folder, or those of the last so many milliseconds. */
export type Policy =
  | { readonly kind: 'all' }
  | { readonly kind: 'newest'; readonly count: number }
  | { readonly kind: 'younger'; readonly ms: number };

/** What is needed of a store. */
interface Needs {
  readonly keys: Set<string>;
  /** Digests of artifacts, for records of earlier versions, which name no keys. */
  readonly artifacts: Set<string>;
}

/** Which runs stay and what they need. */
export interface Kept extends Needs {
  /** Folders of older reports that no policy keeps. */
  readonly dropped: readonly string[];
  readonly attempts: readonly NotedAttempt[];
  readonly droppedAttempts: readonly NotedAttempt[];
  /** Folders that hold results. */
  readonly outs: readonly string[];
  /** Notes of folders that are gone. */
  readonly stale: readonly string[];
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const stepsOf = (run: RunSummary): readonly StepSummary[] =>
  [...run.automatic, ...run.stages.flatMap(({ step, evaluation }) => [step, evaluation]), ...run.helpers].filter(
    (step) => step !== null,
  );

/** The record of a run; null where the folder has only its report. */
const summaryIn = async (folder: string): Promise<RunSummary | null> => {
  try {
    return await readSummary(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    const damage = damageOf(error);
    if (damage === undefined) throw error;
    throw requestError(`nothing was freed, since it cannot be told what ${folder} needs: ${damage}`);
  }
};

const needFolder = async (folder: string, needs: Needs): Promise<void> => {
  const run = await summaryIn(folder);
  if (run === null) return;
  for (const key of run.keys ?? []) needs.keys.add(key);
  for (const { outputs } of run.keys === undefined ? stepsOf(run) : []) {
    for (const { artifact } of Object.values(outputs)) needs.artifacts.add(artifact.digest);
  }
  for (const seed of seedFolders(run)) await needFolder(join(folder, seed), needs);
};

/** Whether a stored result is needed. */
export const isNeeded = ({ key, outputs }: StepRecord, { keys, artifacts }: Needs): boolean =>
  keys.has(key) || Object.values(outputs).some(({ digest }) => artifacts.has(digest));

/** When a report was last made or shown again: a run that computes nothing leaves it as it is, and adds to the log. */
const lastUse = async ({ shown, folder, created }: Entry): Promise<number> => {
  const made = Date.parse(created);
  const log = shown ? await stat(join(folder, 'events.jsonl')).catch(() => undefined) : undefined;
  return Math.max(Number.isNaN(made) ? 0 : made, log?.mtimeMs ?? 0);
};

const newestFirst = (entries: readonly Entry[]): readonly Entry[] =>
  entries.toSorted((a, b) => Number(b.shown) - Number(a.shown) || b.number - a.number);

const keptEntries = async (entries: readonly Entry[], policy: Policy, now: number): Promise<readonly Entry[]> => {
  if (policy.kind === 'all') return entries;
  if (policy.kind === 'newest') return newestFirst(entries).slice(0, policy.count);
  const uses = await Promise.all(entries.map(lastUse));
  return entries.filter((_, i) => (uses[i] ?? 0) >= now - policy.ms);
};

/** An unfinished run stays where it is the newest work in its folder, or young enough. */
const keepsAttempt = (attempt: NotedAttempt, entries: readonly Entry[], policy: Policy, now: number): boolean => {
  if (policy.kind === 'all') return true;
  if (policy.kind === 'younger') return Date.parse(attempt.started) >= now - policy.ms;
  return entries.every(({ created }) => attempt.started >= created);
};

const resultFolders = async (store: Store, runs: string | null) => {
  const noted = await resultsOf(store);
  const below = runs === null ? [] : await readdir(runs).catch(() => []);
  const outs: string[] = [];
  for (const out of new Set([...noted.keys(), ...below.map((name) => join(runs ?? '', name))])) {
    if (await isFolder(out)) outs.push(out);
  }
  return { outs, stale: [...noted].filter(([out]) => !outs.includes(out)).map(([, file]) => file) };
};

/** Whether an attempt of a seed belongs to a folder of results. */
const isIn = (out: string, attempt: NotedAttempt): boolean =>
  attempt.out === out || attempt.out.startsWith(join(out, 'seed-'));

/** The runs of a store that stay, and what they need of it. `runs` is a folder of results beside those that were noted. */
export const keptRuns = async (store: Store, runs: string | null, policy: Policy, now = Date.now()): Promise<Kept> => {
  const { outs, stale } = await resultFolders(store, runs);
  const needs: Needs = { keys: new Set(), artifacts: new Set() };
  const [all, kept, dropped]: [readonly NotedAttempt[], NotedAttempt[], string[]] = [await attemptsIn(store), [], []];
  for (const out of outs) {
    const entries = await entriesIn(out);
    const stay = await keptEntries(entries, policy, now);
    for (const { folder } of stay) await needFolder(folder, needs);
    // What is shown is the user's: only what lies behind it in the store can go.
    dropped.push(...entries.filter((entry) => !entry.shown && !stay.includes(entry)).map(({ folder }) => folder));
    kept.push(...all.filter((one) => isIn(out, one) && keepsAttempt(one, entries, policy, now)));
  }
  for (const { keys } of kept) for (const key of keys) needs.keys.add(key);
  const droppedAttempts = all.filter((one) => !kept.includes(one));
  return { ...needs, dropped, attempts: kept, droppedAttempts, outs, stale };
};
