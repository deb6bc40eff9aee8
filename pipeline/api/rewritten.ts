import { resolve } from 'node:path';
import type { Graph } from '../../graph/graph.ts';
import { storedAsHalves } from '../../graph/normalize/index.ts';
import { called } from './called.ts';
import { type Foreign, withForeign } from './foreign.ts';
import { type Change, expectTarget, sizesOf, writeForeign } from './foreign-out.ts';
import type { Reading } from './named.ts';
import { isOffline } from './offline.ts';
import type { FloatOptions, Written } from './types/graphs.ts';

/** What a verb makes of a graph, and what it says of that. */
export interface Rewritten<T> {
  readonly graph: Graph;
  readonly told: T;
  readonly change: Change;
}

/** Two graphs in one file are cut and rewritten as the one of them for whole texts: what is written has no choice any more. */
const tellOfFlags = ({ called: step, given, graph }: Foreign, emit: Reading['emit']): void => {
  for (const flag of given.inputs.filter((input) => !graph.inputs.includes(input)))
    emit({
      ...{ type: 'log', step },
      message: `the input '${flag}' chooses between two graphs in one file: the one for false is taken, and the other is left out of what is written`,
    });
};

/** Reads a model, lets a verb make another of it, and writes that. */
export const rewriteModel = async <T extends object>(
  name: string,
  out: string,
  options: FloatOptions,
  emit: Reading['emit'],
  rewrite: (foreign: Foreign) => Rewritten<T> | Promise<Rewritten<T>>,
): Promise<Written & T> => {
  const { signal = new AbortController().signal, float16 = false } = options;
  const reading = { work: `${resolve(out)}.download`, offline: isOffline(options), signal, emit };
  return await withForeign(name, reading, async (foreign) => {
    await expectTarget(foreign, out, float16);
    tellOfFlags(foreign, emit);
    const { graph, told, change } = await called(name, () => rewrite(foreign));
    signal.throwIfAborted();
    const stored = float16 ? storedAsHalves(graph) : graph;
    for (const message of await writeForeign(foreign, out, stored, change)) emit({ type: 'log', step: out, message });
    return { out, ...(await sizesOf(foreign.graph, graph, stored)), ...told };
  });
};
