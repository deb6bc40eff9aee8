import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Policy } from '../clean/kept.ts';
import { requestError } from '../diagnostic.ts';
import type { Cleaned, CleanOptions } from './types/pipelines.ts';

const policyOf = ({ keepRuns, olderThanMs }: CleanOptions): Policy => {
  if (keepRuns !== undefined) return { kind: 'newest', count: keepRuns };
  return olderThanMs === undefined ? { kind: 'all' } : { kind: 'younger', ms: olderThanMs };
};

const storeAt = async (folder: string): Promise<string> => {
  const records = await stat(join(folder, 'records')).catch(() => undefined);
  if (records?.isDirectory() === true) return resolve(folder);
  throw requestError(
    `${folder}: no store of decant is there; name the folder of cached results with --store (decant run keeps it in .decant/store beside the pipeline file)`,
  );
};

/** Frees what no kept run needs. */
export const cleanStore = async (options: CleanOptions): Promise<Cleaned> => {
  if (options.keepRuns !== undefined && options.olderThanMs !== undefined) {
    throw requestError('--keep-runs and --older are two ways to say which runs are kept; give one of them');
  }
  const { dryRun = false, store = join('.decant', 'store'), runs = 'runs', signal } = options;
  const root = await storeAt(store);
  const { clean } = await import('../clean/clean.ts');
  const { Store } = await import('../store/store.ts');
  const asked = { policy: policyOf(options), runs: resolve(runs), dryRun };
  return await clean(new Store(root), asked, signal ?? new AbortController().signal);
};
