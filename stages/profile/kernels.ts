import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { readTrace } from '../../engine/trace.ts';
import type { Graph } from '../../graph/graph.ts';
import { temporaryFolder } from '../../ground/temporary.ts';

/** Does something with a folder that is gone afterwards. */
export const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await temporaryFolder('profile');
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const RUNS = 60;
/** The first runs allocate memory and fill caches. */
const WARM_UP_RUNS = 10;
/** Runs that were interrupted do not count: of the rest, the quicker three quarters. */
const COUNTED = 0.75;

/** Mean of the quicker runs: the runtime counts whole microseconds, which average out. */
const typicalMs = (durations: readonly number[]): number => {
  const settled = durations.slice(WARM_UP_RUNS).sort((a, b) => a - b);
  const quick = settled.slice(0, Math.ceil(settled.length * COUNTED));
  return quick.reduce((sum, duration) => sum + duration, 0) / Math.max(1, quick.length) / 1000;
};

/** Milliseconds that the kernel of each node takes in one run, by node name, as ONNX Runtime itself profiles it. */
export const kernelTimes = (graph: Graph, feeds: Feeds): Promise<ReadonlyMap<string, number>> =>
  inFolder(async (folder) => {
    const profilePrefix = join(folder, 'trace');
    const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'none', profilePrefix });
    try {
      for (let run = 0; run < RUNS; run++) await program.run(feeds);
    } finally {
      await program.release();
    }
    const [file] = await readdir(folder);
    const traced = file === undefined ? new Map() : await readTrace(join(folder, file));
    return new Map([...traced].map(([name, { durations }]) => [name, typicalMs(durations)]));
  });
