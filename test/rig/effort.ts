import { spawnSync } from 'node:child_process';

/** Seconds of this process's own work since the call: a machine that is busy with other work adds nothing to them. */
export const effort = (): (() => number) => {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
};

/** What starting a process takes on an idle machine, generously. */
const START_MS = 100;

/** How many times longer than on an idle machine other processes take just now: at least 1. */
const slowness = (): number => {
  const start = performance.now();
  for (let i = 0; i < 3; i++) spawnSync(process.execPath, ['-e', '']);
  return Math.max(1, (performance.now() - start) / 3 / START_MS);
};

/** Whether something took longer than it may on an idle machine, by more than a busy one explains. */
export const isLate = (seconds: number, most: number): boolean => seconds > most && seconds > most * slowness();
