import { callOf, inferNode, type Known } from '../call.ts';
import { type Dim, type Shape, symbol } from '../dim.ts';
import { type Graph, type Node, opsetOf, type TensorType, type Value } from '../graph.ts';
import type { Inferred } from '../op.ts';
import { codecError } from './dtypes.ts';

const typeText = ({ dtype, shape }: TensorType): string => `${dtype}[${shape?.join(', ') ?? '...'}]`;

/** A value that a node computes, as errors name it. */
interface Place {
  readonly node: Node;
  readonly output: Value;
}

const contradiction = ({ node, output }: Place, found: TensorType, said: TensorType): Error =>
  codecError(
    `the value '${output}' is declared as ${typeText(said)}, but node '${node.name || output}' (${node.op}) computes ${typeText(found)}: ` +
      'export the model again, or take the declaration out of the file',
  );

/** Whether a dimension says nothing but whose it is: that of a value which inference cannot express. */
const isOpen = (dim: Dim, { output }: Place, axis: number): boolean => dim === symbol(`${output}.${axis}`);

/** Whether both speak of one shape. */
const contradicts = (found: Shape, declared: Shape): boolean =>
  declared.length !== found.length ||
  found.some((dim, axis) => typeof dim === 'number' && typeof declared[axis] === 'number' && dim !== declared[axis]);

/** Other makers' files say wrong things of what is computed on the way, and nobody reads them; of results they are promises. */
const settledShape = (place: Place, found: TensorType, said: TensorType, isResult: boolean): Shape | undefined => {
  if (found.shape === undefined || said.shape === undefined) return found.shape ?? said.shape;
  const declared = said.shape;
  if (contradicts(found.shape, declared)) {
    if (isResult) throw contradiction(place, found, said);
    return found.shape;
  }
  return found.shape.map((dim, axis) => (isOpen(dim, place, axis) ? (declared[axis] ?? dim) : dim));
};

/** What is computed is known better than what is said of it; where it is not known at all, what is said holds. */
const settled = (
  place: Place,
  found: Inferred | undefined,
  said: TensorType | undefined,
  isResult: boolean,
): Inferred | undefined => {
  if (found === undefined || said === undefined) return found ?? said;
  if (found.dtype !== said.dtype) throw contradiction(place, found, said);
  return { ...found, shape: settledShape(place, found, said, isResult) };
};

/**
 * The types of all values of a graph whose nodes are in order: inferred, and as the file declares them where inference ends
 * (an operator without a record, a size that only the run knows). Throws where both speak and differ in the element type, or
 * in the shape of a result of the graph.
 */
export const settledTypes = (graph: Graph): ReadonlyMap<Value, TensorType> => {
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs));
  const results = new Set(graph.outputs);
  const types = new Map([...graph.types].filter(([name]) => !computed.has(name)));
  const ints = new Map<Value, readonly Dim[]>();
  const known: Known = {
    type: (name) => types.get(name),
    weight: (name) => graph.weights.get(name),
    ints: (name) => ints.get(name),
  };
  for (const node of graph.nodes) {
    const inferred = inferNode(callOf(node, opsetOf(graph.opsets, node.domain), known));
    for (const [i, output] of node.outputs.entries()) {
      if (output === '') continue;
      const type = settled({ node, output }, inferred?.[i], graph.types.get(output), results.has(output));
      if (type !== undefined) types.set(output, { dtype: type.dtype, shape: type.shape });
      if (type?.ints !== undefined) ints.set(output, type.ints);
    }
  }
  // In the order of the file, so that the same graph is written as the same bytes again.
  return new Map(
    [...new Set([...graph.types.keys(), ...types.keys()])].flatMap((name) => {
      const type = types.get(name) ?? graph.types.get(name);
      return type === undefined ? [] : [[name, type] as const];
    }),
  );
};
