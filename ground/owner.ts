import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from './errors.ts';

/** A process, told apart from every other one: ids are given out again, so it says when it began and where. */
export interface Owner {
  readonly process: number;
  /** When it began, in the system's own count; 0 where that is not known. */
  readonly started: number;
  /** The machine since its last start, and the space that process ids are unique in. */
  readonly place: string;
}

const textOf = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};

const placeHere = (): string => {
  const boot = textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const ids = textOf(() => readlinkSync('/proc/self/ns/pid'));
  return createHash('sha256').update(`${hostname()}\n${boot}\n${ids}`).digest('hex').slice(0, 8);
};

/** State and start of a process as /proc/ID/stat tells them behind its name, which may hold anything. */
const statOf = (id: number): { readonly state: string; readonly started: number } | undefined => {
  const text = textOf(() => readFileSync(`/proc/${id}/stat`, 'utf8'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], Number(fields[19])];
  return state === undefined || !Number.isSafeInteger(started) ? undefined : { state, started };
};

/** This process. */
export const self: Owner = { process: process.pid, started: statOf(process.pid)?.started ?? 0, place: placeHere() };

const isRunning = (id: number): boolean => {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
};

/** Killed, and not yet taken note of by its parent. */
const isDefunct = (state: string): boolean => state === 'Z' || state === 'X';

export type Life = 'alive' | 'gone' | 'unknown';

/** Whether a process lives. Of another machine or container that cannot be known here. */
export const lifeOf = ({ process: id, started, place }: Owner): Life => {
  if (place !== self.place) return 'unknown';
  if (!isRunning(id)) return 'gone';
  const stat = statOf(id);
  if (stat === undefined) return 'alive';
  const another = started !== 0 && stat.started !== started;
  return another || isDefunct(stat.state) ? 'gone' : 'alive';
};

/** An owner as a part of a file's name. */
export const ownerName = ({ process: id, started, place }: Owner): string => `pid${id}-${started}-${place}`;

/** Whose a file is by its name, where that says it. */
export const ownerIn = (name: string): Owner | undefined => {
  const [, id, started, place] = [...name.matchAll(/pid(\d+)-(\d+)-([0-9a-f]{8})(?![0-9a-f])/g)].at(-1) ?? [];
  return place === undefined ? undefined : { process: Number(id), started: Number(started), place };
};
