import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { isFloat } from '../../graph/ops/shared-structure.ts';

/** (batch, channels, rows, height, columns, width) of patches. */
const PATCH_AXES = 6;

const laysOut = ({ types }: Graph, { op, outputs }: Node): boolean =>
  op === 'Reshape' && outputs.some((output) => types.get(output)?.shape?.length === PATCH_AXES);

/**
 * Inputs that hold keys and values of positions before, (batch, heads, length, width): they are fed what the graph put out, so they
 * lose heads with it. Pixels have as many axes, and convolutions read them, or they are laid out in patches.
 */
export const stateInputs = (graph: Graph): ReadonlySet<Value> => {
  const { users } = indexOf(graph);
  return new Set(
    graph.inputs.filter((input) => {
      const type = graph.types.get(input);
      const seen = (users.get(input) ?? []).some((node) => node.op === 'Conv' || laysOut(graph, node));
      return isFloat(type?.dtype) && (type?.shape?.length ?? 0) > 3 && !seen;
    }),
  );
};
