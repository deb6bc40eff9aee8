import type { EngineTimes, Loading } from '../../data/measurements.ts';
import type { StageContext } from '../stage.ts';
import type { Fixed } from './kernel.ts';
import type { Loaded, LoadOrder } from './orders.ts';
import { loadInProcess } from './process.ts';
import type { Timing } from './rounds.ts';

interface Options {
  readonly threads: number;
  /** Fresh processes a model. */
  readonly loads: number;
}

const gathered = (loads: readonly Loaded[]): Loading => ({
  sessionMs: loads.map(({ sessionMs }) => sessionMs),
  firstRunMs: loads.map(({ firstRunMs }) => firstRunMs),
  peakBytes: loads.map(({ peakBytes }) => peakBytes),
  waited: loads.map(({ waited }) => waited),
});

/**
 * Load time, first run and memory of every model, each time in a process of its own that holds the runtime and nothing
 * else; in turns A B C A B C like latency. The first cell of the grid is what is run.
 */
export const measureLoading = async (
  { on, models }: Timing,
  runtime: Fixed,
  { threads, loads }: Options,
  ctx: Pick<StageContext, 'signal' | 'progress'>,
): Promise<Pick<EngineTimes, 'loading' | 'runtime'>> => {
  const ids = [...models.keys()];
  const subjects: readonly LoadOrder['subject'][] = [
    ...[...models.values()].map(({ name, file, feeds: [first] }) => ({ name, file, feeds: first ?? {} })),
    runtime,
  ];
  const found: Loaded[][] = subjects.map(() => []);
  const total = loads * subjects.length;
  const phase = on.engine === undefined ? 'loading' : `loading on ${on.engine}`;
  for (let done = 0; done < total; done++) {
    const at = done % subjects.length;
    const subject = subjects[at];
    ctx.progress({ done, total, unit: 'processes', phase });
    if (subject !== undefined)
      found[at]?.push(await loadInProcess({ type: 'load', ...on, threads, subject }, { signal: ctx.signal }));
  }
  return {
    loading: Object.fromEntries(ids.map((id, at) => [id, gathered(found[at] ?? [])])),
    runtime: { peakBytes: gathered(found[ids.length] ?? []).peakBytes },
  };
};
