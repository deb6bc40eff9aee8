import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readText } from '../../ground/whole-file.ts';
import { parseRecord, type StepRecord } from './record.ts';
import type { Store } from './store.ts';

/** Records as they lie in a store; null where one cannot be read by this version. */
export const recordsByFile = async (store: Store): Promise<ReadonlyMap<string, StepRecord | null>> => {
  const folder = store.part('records');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  const read = async (name: string) => {
    const text = await readText(join(folder, name)).catch(() => '');
    return [join(folder, name), parseRecord(text) ?? null] as const;
  };
  return new Map(await Promise.all(names.map(read)));
};

/** Files that some records name. */
export const blobsOf = (store: Store, records: Iterable<StepRecord>): ReadonlySet<string> => {
  const blobs = new Set<string>();
  for (const { outputs } of records) {
    for (const { files } of Object.values(outputs)) {
      for (const { digest } of Object.values(files)) blobs.add(store.blob(digest));
    }
  }
  return blobs;
};

/** Stored files besides those that are used. */
export const blobsBeside = async (store: Store, used: ReadonlySet<string>): Promise<readonly string[]> => {
  const root = store.part('blobs');
  const beside: string[] = [];
  for (const folder of await readdir(root).catch(() => [])) {
    for (const name of await readdir(join(root, folder)).catch(() => [])) {
      const path = join(root, folder, name);
      if (!used.has(path)) beside.push(path);
    }
  }
  return beside;
};

/**
 * Removes files that no record names: an attempt that died while it published left them. Only where nobody else works with
 * the store. A record that this version cannot read may name any of them.
 */
export const removeUnnamedBlobs = async (store: Store): Promise<void> => {
  const records = [...(await recordsByFile(store)).values()];
  const readable = records.filter((record) => record !== null);
  if (readable.length < records.length) return;
  for (const path of await blobsBeside(store, blobsOf(store, readable))) await rm(path, { force: true });
};
