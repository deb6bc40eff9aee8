import { type Graph, indexOf, type Node, type Value } from '../graph/graph.ts';
import { bindInput } from '../graph/normalize/index.ts';
import { elementCount, tensorOf } from '../graph/tensor.ts';

const passing: ReadonlySet<string> = new Set(['Identity', 'Squeeze', 'Unsqueeze', 'Reshape', 'Cast']);

/** Whether a value decides on a branch, as it is or in another shape. */
const decides = (graph: Graph, value: Value): boolean =>
  (indexOf(graph).users.get(value) ?? []).some(
    (user: Node) =>
      (user.op === 'If' && user.inputs[0] === value) ||
      (passing.has(user.op) && user.outputs.some((output) => decides(graph, output))),
  );

/** Inputs that choose between two graphs in one file: that of the first tokens, and that of those which follow on states. */
export const flagsOf = (graph: Graph): readonly Value[] =>
  graph.inputs.filter((input) => graph.types.get(input)?.dtype === 'bool' && decides(graph, input));

/** The graph that a file holds for whole texts: flags are taken to be false, which leaves states out. */
export const withoutFlags = (graph: Graph): Graph =>
  flagsOf(graph).reduce((current, flag) => {
    const dims = (graph.types.get(flag)?.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 1));
    return bindInput(current, flag, tensorOf('bool', dims, new Uint8Array(elementCount(dims))));
  }, graph);
