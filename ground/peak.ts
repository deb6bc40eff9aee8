import { readFileSync } from 'node:fs';

/** VmHWM in kB, where the system keeps it. */
const highWater = (): number | undefined => {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes);
  } catch {
    return undefined;
  }
};

/**
 * The most memory that this process ever held resident. On Linux from /proc: getrusage there begins with what the process
 * that started this one held (the figure survives fork and exec).
 */
export const peakBytes = (): number => 1024 * (highWater() ?? process.resourceUsage().maxRSS);
