import type { Graph, Node, TensorType } from '../graph/graph.ts';
import { byteSize } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';

/** One value of two gigabytes: no text of any length needs it. */
const LARGEST = 2 ** 31;

const bodiesOf = (node: Node): readonly Graph[] =>
  Object.values(node.attrs).flatMap((attribute) => (attribute.kind === 'graph' ? [attribute.value] : []));

const sizeOf = (type: TensorType | undefined): number => {
  const numbers = type?.shape?.filter((dim) => typeof dim === 'number') ?? [];
  return type === undefined || numbers.length !== type.shape?.length ? 0 : byteSize(type.dtype, numbers);
};

/**
 * Refuses graphs of which it can be seen that running them has no end or takes all memory, before a runtime tries. What
 * only a run shows is for whoever watches it.
 */
export const expectBounded = (graph: Graph): void => {
  for (const node of graph.nodes) {
    if (node.op === 'Loop') {
      throw modelError(
        `node '${node.name || node.outputs[0]}' is a Loop, and nobody can tell whether it ends; no encoder of texts needs one, so decant runs none`,
      );
    }
    const large = node.outputs.find((output) => sizeOf(graph.types.get(output)) > LARGEST);
    if (large !== undefined) {
      throw modelError(
        `node '${node.name || large}' (${node.op}) makes a value of ${sizeOf(graph.types.get(large))} bytes whatever the text is; expected at most ${LARGEST}`,
      );
    }
    bodiesOf(node).forEach(expectBounded);
  }
};
