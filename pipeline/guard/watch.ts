import { type ChildProcess, execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { bytes as sized } from '../../reports/figures.ts';
import type { Limits } from './limits.ts';

/** Why a process was stopped. */
export interface Stop {
  readonly code: 'crashed' | 'memory' | 'timeout';
  readonly message: string;
}

/** A process takes a few hundredths of a second for a gigabyte. */
const LOOK_MS = 20;
/** Where a look is a process of its own. */
const LOOK_SLOWLY_MS = 250;
const PAGE = 4096;

/** Bytes that a process holds in memory. Linux says so in a file, other Unix systems through ps; Windows has neither. */
const residentBytes = async (pid: number): Promise<number> => {
  if (process.platform === 'linux') return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) * 1024;
};

const tooLarge = ({ bytes, option }: Limits): Stop => ({
  code: 'memory',
  message: `the model was stopped: it took more than ${sized(bytes)} of memory, which is more than its weights and these texts should need; where you trust it, allow more with ${option.memory}`,
});

const tooSlow = ({ seconds, option }: Limits): Stop => ({
  code: 'timeout',
  message: `the model was stopped: it gave no answer for ${seconds} seconds; where you trust it, allow more with ${option.timeout}`,
});

/** Looks at a process until `off`: it may take the memory and the time that `set` said last. */
export const watched = (
  { pid }: ChildProcess,
  stop: (why: Stop) => void,
): { set(limits: Limits): void; off(): void } => {
  let limits: Limits | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let looking: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const held = await residentBytes(pid ?? 0).catch(() => 0);
    if (limits !== undefined && held > limits.bytes) stop(tooLarge(limits));
  };
  const off = (): void => {
    clearTimeout(deadline);
    clearInterval(looking);
  };
  const set = (next: Limits): void => {
    limits = next;
    clearTimeout(deadline);
    deadline = setTimeout(() => stop(tooSlow(next)), next.seconds * 1000);
    if (process.platform !== 'win32')
      looking ??= setInterval(() => void look(), process.platform === 'linux' ? LOOK_MS : LOOK_SLOWLY_MS);
  };
  return { set, off };
};
