import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** A process and those that it started, and what each holds in memory. */
interface Holder {
  readonly pid: number;
  readonly bytes: number;
}

const PAGE = 4096;

const fromFile = (path: string): readonly number[] => readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number);

/** Linux says in files what a process holds and which it started. One that has ended holds nothing. */
const listed = (pid: number): readonly Holder[] => {
  try {
    const [, pages = 0] = fromFile(`/proc/${pid}/statm`);
    return [{ pid, bytes: pages * PAGE }, ...fromFile(`/proc/${pid}/task/${pid}/children`).flatMap(listed)];
  } catch {
    return [];
  }
};

const below = (pid: number, rows: readonly (readonly [number, number, number])[]): readonly Holder[] =>
  rows.flatMap(([own, parent, kilobytes]) => [
    ...(own === pid ? [{ pid, bytes: kilobytes * 1024 }] : []),
    ...(parent === pid && own !== pid ? below(own, rows) : []),
  ]);

/** Other Unix systems say it through ps. */
const asked = async (pid: number): Promise<readonly Holder[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-Ao', 'pid=,ppid=,rss=']);
  const rows = stdout.trim().split('\n');
  return below(
    pid,
    rows.map((row) => {
      const [own = 0, parent = 0, kilobytes = 0] = row.trim().split(/\s+/).map(Number);
      return [own, parent, kilobytes];
    }),
  );
};

const holders = async (pid: number): Promise<readonly Holder[]> => {
  if (process.platform === 'win32') return [{ pid, bytes: 0 }];
  return process.platform === 'linux' ? listed(pid) : await asked(pid).catch(() => []);
};

/** Bytes that a process and those that it started hold in memory; 0 where the system does not say (Windows). */
export const residentBytes = async (pid: number): Promise<number> =>
  (await holders(pid)).reduce((sum, { bytes }) => sum + bytes, 0);

/** Ends a process and those that it started: one that is busy in native code does not notice that its parent is gone. */
export const endAll = async (pid: number): Promise<void> => {
  for (const holder of await holders(pid)) {
    try {
      process.kill(holder.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
};
