import type { EngineTimes, MeasuredOn } from '../../data/measurements.ts';
import { defaultEngine, findEngine } from '../../engine/engines/index.ts';
import type { Device, Found } from '../../engine/engines/kind.ts';
import { engineError } from '../../ground/errors.ts';
import type { StageContext } from '../stage.ts';
import type { Subject } from './orders.ts';
import { lookInProcess } from './process.ts';
import type { Timing } from './rounds.ts';

const there = async (engine: string): Promise<Extract<Found, { device: Device }>> => {
  const found = await findEngine(engine);
  if ('missing' in found) throw engineError(`the engine "${engine}" is not there: ${found.missing}`);
  return found;
};

/** The device behind an engine, and the versions of what computes there. */
export const measuredOn = async (engine: string): Promise<MeasuredOn> => {
  const { device, facts } = await there(engine);
  const { name, driver } = device;
  return { engine, device: name, ...(driver === undefined ? {} : { driver }), versions: facts };
};

type Lacking = Pick<EngineTimes, 'lacking'>;

const lackingOf = (ids: readonly string[], lists: readonly (readonly string[])[]): Lacking => {
  const lacking = ids.flatMap((id, i) => {
    const list = lists[i] ?? [];
    return list.length === 0 ? [] : [[id, list] as const];
  });
  return lacking.length === 0 ? {} : { lacking: Object.fromEntries(lacking) };
};

/** The models that an engine computes by itself, and what it lacks for the others. */
export const runnable = async (
  engine: string,
  subjects: ReadonlyMap<string, Subject>,
  threads: number,
  { signal }: Pick<StageContext, 'signal'>,
): Promise<Timing & Lacking> => {
  if (engine === defaultEngine) return { on: {}, models: subjects };
  const on = { engine, device: (await there(engine)).device };
  const looked = [...subjects.values()].map(({ name, file, feeds: [feeds] }) => ({ name, file, feeds: feeds ?? {} }));
  const lists = await lookInProcess({ type: 'look', ...on, threads, subjects: looked }, { signal });
  const found = lackingOf([...subjects.keys()], lists);
  const models = new Map([...subjects].filter(([id]) => !Object.hasOwn(found.lacking ?? {}, id)));
  return { on, models, ...found };
};
