import type { Graph } from '../../graph/graph.ts';
import { isRefusal, isUserError, modelError } from '../../ground/errors.ts';
import { readForeign } from '../foreign.ts';

/** The graph of another maker in the form that the rest of the house reads. */
export const readBare = async (path: string): Promise<Graph> => {
  try {
    return (await readForeign(path)).graph;
  } catch (cause) {
    // What does not fit together is the file's.
    if (isUserError(cause) || !(isRefusal(cause) || cause instanceof RangeError)) throw cause;
    throw modelError(`${path}: the graph does not fit together: ${cause.message}`, { cause });
  }
};
