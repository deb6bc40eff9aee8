import type { CompileOptions, Program } from '../../engine/engine.ts';
import { openEngine } from '../../engine/engines/index.ts';
import type { Device } from '../../engine/engines/kind.ts';
import { leftToHost } from '../../engine/left.ts';
import { readGraph } from '../../graph/codec/index.ts';
import type { LookOrder, Report } from './orders.ts';

const optionsFor = (threads: number): CompileOptions => ({ threads, optimization: 'all' });

export const onDevice = async (
  name: string,
  device: Device | undefined,
): Promise<(file: string, threads: number) => Promise<() => Promise<Program>>> => {
  const engine = await openEngine(name, device);
  return async (file, threads) => {
    const graph = await readGraph(file);
    return () => engine.compile(graph, optionsFor(threads));
  };
};

/** By subject what the engine has no kernel for: a time of such a model would be the CPU's, in part or in whole. */
export const lookAt = async (
  { engine: name, device, threads, subjects }: LookOrder,
  say: (report: Report) => void,
): Promise<readonly (readonly string[])[]> => {
  const engine = await openEngine(name, device);
  const lacking: (readonly string[])[] = [];
  for (const { name: called, file, feeds } of subjects) {
    say({ type: 'at', name: called });
    lacking.push(await leftToHost(engine, await readGraph(file), feeds, optionsFor(threads)));
  }
  return lacking;
};
