import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Owner, ownerIn, self } from '../../ground/owner.ts';
import { sweepTemporaryFolders } from '../../ground/temporary.ts';
import { HISTORY } from '../../reports/history.ts';
import { abandonedIn, isAbandoned } from './atomic.ts';
import { acquireIfFree, sweepLocks } from './locks.ts';
import { type Store, storeParts } from './store.ts';

/** Folders of attempts were named by process and time before they named their owner. */
const attemptOwner = (name: string): Owner | undefined => {
  const [, id] = /^(\d+)-[0-9a-z]+$/.exec(name) ?? [];
  return ownerIn(name) ?? (id === undefined ? undefined : { process: Number(id), started: 0, place: self.place });
};

const entriesOf = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);

/** Folders of attempts at a step whose process is gone. */
const abandonedAttempts = async ({ root }: Store, key: string): Promise<readonly string[]> => {
  const folder = join(root, 'work', key);
  const abandoned: string[] = [];
  for (const name of await entriesOf(folder)) {
    const path = join(folder, name);
    if (await isAbandoned(path, attemptOwner(name))) abandoned.push(path);
  }
  return abandoned;
};

const changed = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.NaN,
  );

/**
 * What a step saved on its way, where the step is done: nothing can go on from it. One that is newer than the record is of
 * an attempt that was forced since, and can.
 */
const outlivedCheckpoint = async ({ root }: Store, key: string): Promise<string | undefined> => {
  const folder = join(root, 'checkpoints', key);
  const done = await changed(join(root, 'records', `${key}.json`));
  return (await changed(folder)) <= done ? folder : undefined;
};

/** What attempts at a step left behind and nothing can go on from. */
export const leftoversOf = async (store: Store, key: string): Promise<readonly string[]> => {
  const outlived = await outlivedCheckpoint(store, key);
  if (outlived !== undefined) return [...(await abandonedAttempts(store, key)), outlived];
  return [...(await abandonedAttempts(store, key)), ...(await abandonedIn(join(store.root, 'checkpoints', key)))];
};

/** Another user's files cannot be removed: they are no reason not to run. */
const removeIfAllowed = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true }).catch(() => undefined);

/** Removes what attempts at a step left behind; only the holder of its lock may. */
const sweepStep = async (store: Store, key: string): Promise<void> => {
  for (const path of await leftoversOf(store, key)) await removeIfAllowed(path);
  // Folders with something in them stay.
  for (const part of ['work', 'checkpoints']) await rmdir(join(store.root, part, key)).catch(() => undefined);
};

/** Keys of steps that something unpublished lies about. */
export const unpublishedKeys = async (store: Store): Promise<readonly string[]> => [
  ...new Set([...(await entriesOf(store.part('work'))), ...(await entriesOf(store.part('checkpoints')))]),
];

/** Names of attempts whose process is not known to be gone. */
export const livingAttempts = async (store: Store): Promise<readonly string[]> => {
  const living: string[] = [];
  for (const key of await entriesOf(store.part('work'))) {
    const gone = new Set(await abandonedAttempts(store, key));
    const names = await entriesOf(join(store.part('work'), key));
    living.push(...names.filter((name) => !gone.has(join(store.part('work'), key, name))));
  }
  return living;
};

/** Temporary files of the store itself whose process is gone. */
export const abandonedFiles = async ({ root }: Store): Promise<readonly string[]> => {
  const abandoned: string[] = [];
  for (const part of ['.', ...storeParts]) {
    abandoned.push(...(await abandonedIn(join(root, part))));
  }
  return abandoned;
};

const isEmpty = async (folder: string): Promise<boolean> =>
  readdir(folder).then(
    (names) => names.length === 0,
    () => false,
  );

const hasLeftovers = async (store: Store, key: string): Promise<boolean> =>
  (await leftoversOf(store, key)).length > 0 ||
  (await isEmpty(join(store.root, 'work', key))) ||
  (await isEmpty(join(store.root, 'checkpoints', key)));

/** Sweeps a step that nobody works on. True where an attempt died, perhaps while it published. */
const sweepIfFree = async (store: Store, key: string): Promise<boolean> => {
  if (!(await hasLeftovers(store, key))) return false;
  const release = await acquireIfFree(store.part('locks'), key);
  if (release === undefined) return false;
  const died = (await abandonedAttempts(store, key)).length > 0;
  await sweepStep(store, key).finally(release);
  return died;
};

/**
 * Removes what no living process owns: attempts, half-written states and files, locks, folders among the system's temporary
 * files. States that an interrupted step can go on from stay. True where an attempt died, perhaps while it published.
 */
export const sweep = async (store: Store): Promise<boolean> => {
  let died = false;
  for (const key of await unpublishedKeys(store)) died = (await sweepIfFree(store, key)) || died;
  for (const path of await abandonedFiles(store)) await removeIfAllowed(path);
  await sweepLocks(store.part('locks'));
  await sweepTemporaryFolders();
  return died;
};

/** Temporary files in the folders of a run, and its folders of seeds, whose process is gone. */
export const abandonedResults = async (out: string): Promise<readonly string[]> => {
  const abandoned = [...(await abandonedIn(out))];
  if (basename(out) === HISTORY) return abandoned;
  for (const entry of await readdir(out, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) abandoned.push(...(await abandonedResults(join(out, entry.name))));
  }
  return abandoned;
};

/** Removes what killed runs left in a run's folder. */
export const sweepResults = async (out: string): Promise<void> => {
  for (const path of await abandonedResults(out)) await removeIfAllowed(path);
  await sweepLocks(out);
};
