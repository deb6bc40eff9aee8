import { readFile, rm, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

/** Without a sign of life for this long, a lock is taken over whoever holds it. */
const STALE_MS = 5000;
const SIGN_OF_LIFE_MS = 1000;
const POLL_MS = 200;

const holderSchema = z.object({ process: z.number(), host: z.string() });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isLocked = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ELOCKED';

const options = { realpath: false, stale: STALE_MS, update: SIGN_OF_LIFE_MS, onCompromised: () => undefined };

/** The folder that is the lock, and the file that says who holds it. */
const paths = (folder: string, name: string): { readonly lock: string; readonly holder: string } => ({
  lock: join(folder, `${name}.lock`),
  holder: join(folder, `${name}.holder`),
});

const isAlive = (id: number): boolean => {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** True when the holder is known, ran on this machine and is gone. */
const holderIsDead = async (holder: string): Promise<boolean> => {
  const text = await readFile(holder, 'utf8').catch(() => 'null');
  const parsed = holderSchema.safeParse(JSON.parse(text));
  return parsed.success && parsed.data.host === hostname() && !isAlive(parsed.data.process);
};

/** Removes the lock of a killed process, if it is one: one process at a time does, and looks again before it does. */
const takeOver = async (folder: string, name: string): Promise<boolean> => {
  const { lock, holder } = paths(folder, name);
  if (!(await holderIsDead(holder))) return false;
  const release = await lockfile.lock(join(folder, `${name}.takeover`), options).catch(() => undefined);
  if (release === undefined) return false;
  try {
    if (!(await holderIsDead(holder))) return false;
    // The name goes first: whoever locks next writes its own.
    await rm(holder, { force: true });
    await rmdir(lock).catch(() => undefined);
    return true;
  } finally {
    await release().catch(() => undefined);
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
  const { holder } = paths(folder, name);
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    try {
      const release = await lockfile.lock(join(folder, name), options);
      await writeFileAtomic(holder, JSON.stringify({ process: process.pid, host: hostname() }), { fsync: false });
      return async () => {
        await rm(holder, { force: true });
        await release().catch(() => undefined);
      };
    } catch (error) {
      if (!isLocked(error)) throw error;
    }
    if (await takeOver(folder, name)) continue;
    if (!told) waiting();
    told = true;
    await pause(POLL_MS);
  }
};
