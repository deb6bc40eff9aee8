import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Graph } from '../graph/graph.ts';
import { temporaryFolder } from '../ground/temporary.ts';
import type { CompileOptions, Engine, Feeds } from './engine.ts';
import { readTrace, type Traced } from './trace.ts';

/** What the runtime calls the provider that computes what no other one can. */
const HOST = 'CPUExecutionProvider';

/** Shapes and positions, which runtimes compute on the host by choice: nothing of a model's work. */
const ofShapes: ReadonlySet<string> = new Set(['int32', 'int64', 'bool']);

const isLeft = ({ provider, types }: Traced): boolean => provider === HOST && types.some((type) => !ofShapes.has(type));

const namesIn = async (folder: string): Promise<readonly string[]> => {
  const files = await readdir(folder);
  const traces = await Promise.all(files.map((file) => readTrace(join(folder, file))));
  const nodes = traces.flatMap((trace) => [...trace.values()]);
  return [...new Set(nodes.filter(isLeft).map(({ op }) => op))];
};

/** The operators that the CPU computed in the device's place, by the runtime's own profile of one run. */
const profiled = async (engine: Engine, graph: Graph, feeds: Feeds, options: CompileOptions) => {
  const folder = await temporaryFolder('profile');
  try {
    const program = await engine.compile(graph, { ...options, profilePrefix: join(folder, 'trace') });
    await program.run(feeds).finally(() => program.release());
    return await namesIn(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/**
 * Operators of a graph that an engine leaves to the CPU or cannot compute at all; empty where what a run takes is the
 * device's own time. The engine's list is asked first; what falls back without being in it, a run tells.
 */
export const leftToHost = async (
  engine: Engine,
  graph: Graph,
  feeds: Feeds,
  options: CompileOptions,
): Promise<readonly string[]> => {
  const lacking = engine.target.lacking(graph);
  if (lacking.length > 0 || engine.target.fallsBack !== true) return lacking;
  return await profiled(engine, graph, feeds, options);
};
