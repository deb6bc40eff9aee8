import { cpus } from 'node:os';

/** Milliseconds of processor time of this process so far, of all its threads. */
const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Milliseconds that all processors of the machine have worked so far, for whomever, and how many there are. */
const machineMs = (): { readonly worked: number; readonly cores: number } => {
  const all = cpus();
  const worked = all.reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
  return { worked, cores: all.length };
};

const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0);

/**
 * Starts a clock for work of one thread that never pauses. Its answer: the share of the time since in which that thread had
 * no processor, since other work did. 0 on an idle machine.
 */
export const waitingClock = (): (() => number) => {
  const [wall, own] = [performance.now(), processorMs()];
  return () => {
    const elapsed = performance.now() - wall;
    return share(elapsed - (processorMs() - own), elapsed);
  };
};

/**
 * The same for several threads, whose processor time does not tell (they wait for each other at work): the share of the
 * cores they want that other processes had. Both are counted in ticks, so that it takes a second to tell.
 */
export const crowdingClock = (threads: number): (() => number) => {
  const [wall, own, { worked, cores }] = [performance.now(), processorMs(), machineMs()];
  const wanted = Math.min(threads, cores);
  return () => {
    const elapsed = performance.now() - wall;
    const others = share(machineMs().worked - worked - (processorMs() - own), cores * elapsed) * cores;
    return share(wanted + others - cores, wanted);
  };
};

/** Whether the system counts a process's time in steps (of 15.6 ms) that are too long for `waitingClock`. */
export const COARSE = process.platform === 'win32';
