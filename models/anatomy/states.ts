import { type Graph, indexOf, type Value } from '../../graph/graph.ts';
import { isFloat } from '../../graph/ops/shared-structure.ts';

/**
 * Inputs that hold keys and values of positions before, (batch, heads, length, width): they are fed what the graph put out, so they
 * lose heads with it. Pixels have as many axes, and convolutions read them.
 */
export const stateInputs = (graph: Graph): ReadonlySet<Value> => {
  const { users } = indexOf(graph);
  return new Set(
    graph.inputs.filter((input) => {
      const type = graph.types.get(input);
      const convolved = (users.get(input) ?? []).some(({ op }) => op === 'Conv');
      return isFloat(type?.dtype) && (type?.shape?.length ?? 0) > 3 && !convolved;
    }),
  );
};
