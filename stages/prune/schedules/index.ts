import { cubic } from './cubic.ts';
import { linear } from './linear.ts';
import { once } from './once.ts';
import { rounds } from './rounds.ts';
import type { Schedule } from './schedule.ts';

/** Every schedule, the default first. */
export const schedules: readonly Schedule[] = [cubic, linear, once, rounds];

export const scheduleOf = (name: string): Schedule => {
  const found = schedules.find((schedule) => schedule.name === name);
  if (found === undefined) throw new Error(`no schedule is called '${name}'`);
  return found;
};
