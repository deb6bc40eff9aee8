import { readGraph } from '../graph/codec/index.ts';
import type { Graph } from '../graph/graph.ts';
import { normalized } from '../graph/normalize/index.ts';
import { inferenceMode } from '../graph/normalize/inference-mode.ts';
import { soundly } from '../graph/normalize/sound.ts';
import { storedBytes } from '../graph/normalize/stored-bytes.ts';
import { widen } from '../graph/normalize/widen.ts';
import { foldConstants } from '../graph/rewrite/index.ts';
import { isRefusal, modelError } from '../ground/errors.ts';
import { shared, unshared } from './anatomy/unshare.ts';
import { expectBounded } from './bounded.ts';
import { expectFilled } from './filled.ts';
import { withoutFlags } from './flags.ts';
import { isQuantized } from './quantized.ts';

/** A graph of whatever maker in the words that the rest of the house reads: outputs are equal, inputs and outputs keep their names. */
export const normalForm = (graph: Graph): Graph => {
  const normal = normalized(graph);
  const whole = withoutFlags(normal);
  return whole === normal ? normal : normalized(whole);
};

/** A graph as its file has it, and in normal form. */
export interface ForeignGraph {
  readonly given: Graph;
  readonly graph: Graph;
}

/**
 * What a file holds is run, cut and rewritten only where it can be seen to end. What was exported as training computes it draws
 * nothing any more.
 */
export const readForeign = async (file: string): Promise<ForeignGraph> => {
  const read = await readGraph(file);
  expectFilled(read);
  const given = soundly(read, inferenceMode.name, () => inferenceMode.run(read));
  expectBounded(given);
  return { given, graph: normalForm(given) };
};

/** Whether operators stand for several of the standard ones. */
const isFused = ({ nodes }: Graph): boolean => nodes.some(({ domain }) => domain !== '');

/** The graph of a model that decant made: in normal form already, unless it was fused for inference. */
export const ownGraph = (given: Graph): ForeignGraph => {
  expectBounded(given);
  return { given, graph: isFused(given) ? normalForm(given) : given };
};

/** What to look for parameters and layers in: the graph itself where it computes in few bits, or refuses to be put into normal form. */
export const lookedAt = (given: Graph): Graph => {
  try {
    const folded = isQuantized(given) ? foldConstants(given) : undefined;
    if (folded !== undefined && isQuantized(storedBytes.run(widen.run(folded)))) return folded;
    return unshared(normalForm(given));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return given;
  }
};

/** Refuses what is quantized, and says what could be done instead. */
export const expectFloats = ({ graph }: ForeignGraph, called: string, purpose: string): void => {
  if (!isQuantized(graph)) return;
  throw modelError(
    `${called} is quantized already: it stores weights in 8 bits or fewer, so it can be measured, exported and imitated, but not ${purpose}; take the float file that it was made of`,
  );
};

/** Does something to a graph in which each layer has masks and tables of its own; what layers still share is one again afterwards. */
export const withLayersApart = (graph: Graph, change: (apart: Graph) => Graph): Graph => {
  const apart = unshared(graph);
  const changed = change(apart);
  return apart === graph ? changed : shared(changed);
};
