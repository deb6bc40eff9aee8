import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { abandonedFolders } from '../../ground/temporary.ts';
import type { Cleaned, Freed, FreedKind } from '../api/types/pipelines.ts';
import { requestError } from '../diagnostic.ts';
import { isHeld } from '../store/locks.ts';
import type { Store } from '../store/store.ts';
import { abandonedFiles, abandonedResults, leftoversOf, sweep, unpublishedKeys } from '../store/sweep.ts';
import { blobsBeside, blobsOf, recordsByFile } from '../store/unused.ts';
import { behindGate, workersIn } from '../store/use.ts';
import { isNeeded, type Kept, keptRuns, type Policy } from './kept.ts';
import { bytesAt, Removal } from './sizes.ts';

/** What is freed, in the order in which it is. */
const kinds: readonly FreedKind[] = ['reports', 'results', 'checkpoints', 'leftovers'];

export interface CleanOptions {
  readonly policy: Policy;
  /** Folder of results beside those that the store knows of; null for none. */
  readonly runs: string | null;
  readonly dryRun: boolean;
}

type Paths = Readonly<Record<FreedKind, readonly string[]>>;

const leftovers = async (store: Store, { outs, stale }: Kept): Promise<readonly string[]> => {
  const paths: string[] = [...stale];
  for (const key of await unpublishedKeys(store)) {
    if (!(await isHeld(store.part('locks'), key))) paths.push(...(await leftoversOf(store, key)));
  }
  for (const out of outs) paths.push(...(await abandonedResults(out)));
  return [...paths, ...(await abandonedFiles(store)), ...(await abandonedFolders())];
};

/** Records that no kept run needs, and files that no other record names. */
const results = async (store: Store, kept: Kept): Promise<readonly string[]> => {
  const records = [...(await recordsByFile(store))];
  const needed = records.flatMap(([, record]) => (record !== null && isNeeded(record, kept) ? [record] : []));
  const unneeded = records.filter(([, record]) => record === null || !needed.includes(record)).map(([file]) => file);
  return [...unneeded, ...(await blobsBeside(store, blobsOf(store, needed)))];
};

/** States that steps could go on from, by whether a kept run wants them. */
const checkpoints = async (store: Store, { attempts }: Kept, policy: Policy) => {
  const wanted = new Set(attempts.flatMap(({ keys }) => keys));
  const folder = store.part('checkpoints');
  const [stay, go]: [string[], string[]] = [[], []];
  for (const key of await readdir(folder).catch(() => [])) {
    const path = join(folder, key);
    const young =
      policy.kind === 'younger' && ((await stat(path).catch(() => undefined))?.mtimeMs ?? 0) >= Date.now() - policy.ms;
    (policy.kind === 'all' || wanted.has(key) || young ? stay : go).push(path);
  }
  return { stay, go };
};

const planned = async (store: Store, kept: Kept, policy: Policy) => {
  const states = await checkpoints(store, kept, policy);
  const paths: Paths = {
    reports: kept.dropped,
    results: await results(store, kept),
    checkpoints: states.go,
    leftovers: [...(await leftovers(store, kept)), ...kept.droppedAttempts.map(({ file }) => file)],
  };
  return { paths, states: states.stay };
};

const freedBy = async (paths: readonly string[], removal: Removal): Promise<Freed> => {
  const before = removal.files;
  let bytes = 0;
  for (const path of paths) bytes += await removal.add(path);
  return { files: removal.files - before, bytes };
};

const measured = async (paths: Paths): Promise<Cleaned['kinds']> => {
  const removal = new Removal();
  return {
    // A state that is swept as a leftover counts as one.
    leftovers: await freedBy(paths.leftovers, removal),
    reports: await freedBy(paths.reports, removal),
    results: await freedBy(paths.results, removal),
    checkpoints: await freedBy(paths.checkpoints, removal),
  };
};

/** Records go before the files that they name, so that an interruption leaves none without them. */
const remove = async (store: Store, paths: Paths): Promise<void> => {
  for (const kind of kinds) {
    for (const path of paths[kind]) await rm(path, { recursive: true, force: true });
  }
  for (const folder of new Set(paths.reports.map(dirname))) await rmdir(folder).catch(() => undefined);
  await sweep(store);
};

const refuseWhileUsed = async (store: Store): Promise<void> => {
  const workers = await workersIn(store);
  if (workers.length === 0) return;
  throw requestError(
    `nothing was freed: ${workers.join(' and ')} is at work in ${store.root}; wait for it, then clean again, or look with --dry-run`,
  );
};

const cleanNow = async (store: Store, { policy, runs, dryRun }: CleanOptions): Promise<Cleaned> => {
  if (!dryRun) await refuseWhileUsed(store);
  const kept = await keptRuns(store, runs, policy);
  const { paths, states } = await planned(store, kept, policy);
  const freed = await measured(paths);
  if (!dryRun) await remove(store, paths);
  const leaving = new Set(paths.leftovers);
  const staying = states.filter((path) => !leaving.has(path));
  let bytes = 0;
  for (const path of staying) bytes += await bytesAt(path);
  return {
    schema: 'decant.clean/1',
    ...{ store: store.root, dryRun },
    bytes: kinds.reduce((sum, kind) => sum + freed[kind].bytes, 0),
    kinds: freed,
    kept: { checkpoints: { files: staying.length, bytes }, unfinished: kept.attempts.map(({ out }) => out) },
  };
};

/**
 * Frees what no kept run needs and no living process owns. Nobody begins to use the store meanwhile; while somebody does,
 * nothing is freed.
 */
export const clean = (store: Store, options: CleanOptions, signal: AbortSignal): Promise<Cleaned> =>
  options.dryRun ? cleanNow(store, options) : behindGate(store, signal, () => cleanNow(store, options));
