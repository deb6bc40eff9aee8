import { readGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { foldConstants } from '../../graph/rewrite/fold.ts';
import { isRefusal, isUserError, modelError } from '../../ground/errors.ts';

/** A graph in the form that the rest of the house reads. */
const inForm = (graph: Graph): Graph => foldConstants(graph);

/** The graph of another maker in the form that the rest of the house reads. */
export const readBare = async (path: string): Promise<Graph> => {
  const graph = await readGraph(path);
  try {
    return inForm(graph);
  } catch (cause) {
    // What does not fit together is the file's.
    if (isUserError(cause) || !(isRefusal(cause) || cause instanceof RangeError)) throw cause;
    throw modelError(`${path}: the graph does not fit together: ${cause.message}`, { cause });
  }
};
