import type { Graph } from '../graph/graph.ts';
import { bindInput, choosingInputs } from '../graph/normalize/index.ts';
import { elementCount, tensorOf } from '../graph/tensor.ts';

/**
 * The graph that a file holds for whole texts, where it holds another one for those that follow on states: flags that choose
 * between them are taken to be false.
 */
export const withoutFlags = (graph: Graph): Graph =>
  choosingInputs(graph).reduce((current, flag) => {
    const dims = (graph.types.get(flag)?.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 1));
    return bindInput(current, flag, tensorOf('bool', dims, new Uint8Array(elementCount(dims))));
  }, graph);
