import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import type { Load } from '../../data/measurements.ts';

/** Ticks of all processors since the start of the system, and those that its host gave to others; where it tells. */
const ticks = (): { readonly all: number; readonly stolen: number } | null => {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are within user and nice.
    const counts = line.split(/\s+/).slice(1, 9).map(Number);
    const stolen = counts[7];
    return stolen === undefined ? null : { all: counts.reduce((sum, n) => sum + n, 0), stolen };
  } catch {
    return null;
  }
};

const averageOf = (): number => loadavg()[0] ?? 0;

const stolenBetween = (before: ReturnType<typeof ticks>, after: ReturnType<typeof ticks>): number | null =>
  before === null || after === null || after.all <= before.all
    ? null
    : (after.stolen - before.stolen) / (after.all - before.all);

/** Does something and says what else the machine did meanwhile. */
export const loadWhile = async <T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly load: Load }> => {
  const [ticksBefore, before] = [ticks(), averageOf()];
  const result = await work();
  const average: Load['average'] = process.platform === 'win32' ? null : [before, averageOf()];
  return { result, load: { average, stolen: stolenBetween(ticksBefore, ticks()) } };
};
