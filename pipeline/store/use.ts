import { ownerName, self } from '../../ground/owner.ts';
import { acquire, holderOf, isHeld, locksIn } from './locks.ts';
import type { Store } from './store.ts';
import { livingAttempts, sweep } from './sweep.ts';
import { removeUnnamedBlobs } from './unused.ts';

/** Held for a moment by whoever begins to use a store, and by whoever frees what nobody uses. */
const GATE = 'gate';
const USE = 'use-';

let count = 0;

/** Who is at work in a store: a process and its machine. */
const usersOf = async (store: Store): Promise<readonly string[]> => {
  const locks = store.part('locks');
  const users: string[] = [];
  for (const name of (await locksIn(locks)).filter((one) => one.startsWith(USE))) {
    if (!(await isHeld(locks, name))) continue;
    const holder = await holderOf(locks, name);
    users.push(holder === undefined ? 'a process' : `process ${holder.process} on ${holder.host}`);
  }
  return users;
};

/**
 * Who is at work in a store, with the processes of steps that outlived their runs and may be publishing: they keep the
 * folders of their attempts meanwhile. Those of dead ones were swept before.
 */
export const workersIn = async (store: Store): Promise<readonly string[]> => {
  const users = await usersOf(store);
  const attempts = await livingAttempts(store);
  return users.length > 0 || attempts.length === 0 ? users : [`the process of a step (${attempts.join(', ')})`];
};

/** Keeps the gate closed while it works: nobody begins to use the store meanwhile. */
export const behindGate = async <T>(store: Store, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
  const release = await acquire(store.part('locks'), GATE, signal, () => undefined);
  try {
    return await work();
  } finally {
    await release();
  }
};

/** Removes what dead processes left, and, where nobody else works with the store, files that a dying one published in part. */
const tidy = async (store: Store): Promise<void> => {
  const died = await sweep(store);
  if (died && (await workersIn(store)).length === 0) await removeUnnamedBlobs(store);
};

/**
 * Begins to use a store: what dead processes left is swept, and nothing is freed until the function that this returns is
 * called, which sweeps once more what ended meanwhile.
 */
export const beginUse = (store: Store, signal: AbortSignal): Promise<() => Promise<void>> =>
  behindGate(store, signal, async () => {
    await tidy(store);
    const name = `${USE}${ownerName(self)}-${++count}`;
    const release = await acquire(store.part('locks'), name, signal, () => undefined);
    return () =>
      behindGate(store, new AbortController().signal, async () => {
        await release();
        await tidy(store);
      });
  });
