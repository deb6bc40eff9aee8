import { isRefusal, isUserError, modelError } from '../../ground/errors.ts';
import type { Graph } from '../graph.ts';

/** A step over a graph. What inference finds wrong on the way is wrong with the file: bodies are first looked at when they are taken out. */
export const soundly = (graph: Graph, what: string, step: () => Graph): Graph => {
  try {
    return step();
  } catch (cause) {
    if (isUserError(cause) || !(isRefusal(cause) || cause instanceof RangeError)) throw cause;
    throw modelError(`the graph '${graph.name}' does not fit together (${what}): ${cause.message}`, { cause });
  }
};
