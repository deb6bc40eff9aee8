import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { z } from 'zod';
import { systemCode } from '../../ground/errors.ts';
import { type Life, lifeOf, self } from '../../ground/owner.ts';
import { readText } from '../../ground/whole-file.ts';
import { writeWhole } from './atomic.ts';

/** Without a sign of life for this long, a lock whose holder cannot be asked is taken over. */
const STALE_MS = 5000;
const SIGN_OF_LIFE_MS = 1000;
const POLL_MS = 200;
/** Staleness is judged here, by the holder: a process of this machine that is stopped for a while keeps its locks. */
const NEVER_MS = 2 ** 40;

const holderSchema = z.object({
  process: z.number(),
  host: z.string(),
  started: z.number().default(0),
  place: z.string().optional(),
});
type Holder = z.infer<typeof holderSchema>;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isLocked = (error: unknown): boolean => systemCode(error) === 'ELOCKED';

const options = { realpath: false, update: SIGN_OF_LIFE_MS, onCompromised: () => undefined };

/** The folder that is the lock, and the file that says who holds it. */
const paths = (folder: string, name: string): { readonly lock: string; readonly holder: string } => ({
  lock: join(folder, `${name}.lock`),
  holder: join(folder, `${name}.holder`),
});

const parsedHolder = (text: string): Holder | undefined => {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};

/** Who holds a lock; undefined where nobody says so. */
export const holderOf = async (folder: string, name: string): Promise<Holder | undefined> =>
  parsedHolder(await readText(paths(folder, name).holder).catch(() => ''));

/** `certain` where the process was told from a later one with its id. */
const lifeOfHolder = ({
  process,
  host,
  started,
  place,
}: Holder): { readonly life: Life; readonly certain: boolean } => {
  const here = place === undefined && host === hostname() ? self.place : (place ?? '');
  return { life: lifeOf({ process, started, place: here }), certain: started !== 0 };
};

/** Whether nobody holds a lock any more: its holder is gone, or cannot be asked and gives no sign of life. */
const isAbandonedLock = async (folder: string, name: string): Promise<boolean> => {
  const holder = await holderOf(folder, name);
  const { life, certain } = holder === undefined ? { life: 'unknown', certain: false } : lifeOfHolder(holder);
  const found = await stat(paths(folder, name).lock).catch(() => undefined);
  if (found === undefined || (life === 'alive' && certain)) return false;
  return life === 'gone' || found.mtimeMs < Date.now() - STALE_MS;
};

/** Removes the lock of a process that is gone, if it is one: one process at a time does, and looks again before it does. */
const takeOver = async (folder: string, name: string): Promise<boolean> => {
  const { lock, holder } = paths(folder, name);
  if (!(await isAbandonedLock(folder, name))) return false;
  const takeover = join(folder, `${name}.takeover`);
  const release = await lockfile.lock(takeover, { ...options, stale: STALE_MS }).catch(() => undefined);
  if (release === undefined) return false;
  try {
    if (!(await isAbandonedLock(folder, name))) return false;
    // The name goes first: whoever locks next writes its own.
    await rm(holder, { force: true });
    await rmdir(lock).catch(() => undefined);
    return true;
  } finally {
    await release().catch(() => undefined);
  }
};

/** Takes a lock that is free. Undefined where somebody holds it. */
const tryAcquire = async (folder: string, name: string): Promise<(() => Promise<void>) | undefined> => {
  const { holder } = paths(folder, name);
  const unlock = await lockfile.lock(join(folder, name), { ...options, stale: NEVER_MS }).catch((error: unknown) => {
    if (isLocked(error)) return undefined;
    throw error;
  });
  if (unlock === undefined) return undefined;
  const release = async (): Promise<void> => {
    await rm(holder, { force: true });
    await unlock().catch(() => undefined);
  };
  try {
    await writeWhole(holder, JSON.stringify({ ...self, host: hostname() }), false);
    return release;
  } catch (error) {
    await release();
    throw error;
  }
};

/**
 * Takes a lock, waiting for its holder; `waiting` is called once if there is one. Returns the release. Losing a lock (a
 * machine that slept) does no harm: what it guards is published atomically, and equal keys make equal bytes.
 */
export const acquire = async (
  folder: string,
  name: string,
  signal: AbortSignal,
  waiting: () => void,
): Promise<() => Promise<void>> => {
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    const release = await tryAcquire(folder, name);
    if (release !== undefined) return release;
    if (await takeOver(folder, name)) continue;
    if (!told) waiting();
    told = true;
    await pause(POLL_MS);
  }
};

/** Takes a lock that nobody living holds. Undefined where somebody does. */
export const acquireIfFree = async (folder: string, name: string): Promise<(() => Promise<void>) | undefined> => {
  const release = await tryAcquire(folder, name);
  if (release !== undefined) return release;
  return (await takeOver(folder, name)) ? await tryAcquire(folder, name) : undefined;
};

const TAKEOVER = '.takeover';

/** Names of locks in a folder, and of holders without one. */
export const locksIn = async (folder: string): Promise<readonly string[]> => {
  const files = await readdir(folder).catch(() => []);
  const names = files.flatMap((file) => /^(.+)\.(?:lock|holder)$/.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort();
};

/** Whether a living process holds a lock, as far as that can be known. */
export const isHeld = async (folder: string, name: string): Promise<boolean> =>
  (await stat(paths(folder, name).lock).catch(() => undefined)) !== undefined && !(await isAbandonedLock(folder, name));

/** Removes locks whose holders are gone: whoever can take one leaves nothing of it. */
export const sweepLocks = async (folder: string): Promise<void> => {
  for (const name of await locksIn(folder)) {
    if (await isHeld(folder, name)) continue;
    if (name.endsWith(TAKEOVER)) await rmdir(paths(folder, name).lock).catch(() => undefined);
    else await (await acquireIfFree(folder, name))?.();
  }
};
