import type { Limits } from './limits.ts';
import { residentBytes } from './processes.ts';

/** Why a process was stopped. */
export interface Stop {
  readonly code: 'crashed' | 'memory' | 'timeout';
  readonly message: string;
}

/** A process takes a few hundredths of a second for a gigabyte. */
const LOOK_MS = 20;
/** Where a look is a process of its own. */
const LOOK_SLOWLY_MS = 250;

/** Looks at a process and those that it starts until `off`: they may take the memory and the time that `set` said last. */
export const watched = (pid: number, stop: (why: Stop) => void): { set(limits: Limits): void; off(): void } => {
  let limits: Limits | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let looking: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const held = await residentBytes(pid);
    if (limits !== undefined && held > limits.memory.bytes) stop({ code: 'memory', message: limits.memory.message });
  };
  const off = (): void => {
    clearTimeout(deadline);
    clearInterval(looking);
  };
  const set = (next: Limits): void => {
    limits = next;
    clearTimeout(deadline);
    const { time } = next;
    if (time !== undefined)
      deadline = setTimeout(() => stop({ code: 'timeout', message: time.message }), time.seconds * 1000);
    if (process.platform !== 'win32')
      looking ??= setInterval(() => void look(), process.platform === 'linux' ? LOOK_MS : LOOK_SLOWLY_MS);
  };
  return { set, off };
};
