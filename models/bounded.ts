import { type Graph, indexOf, type Node, type TensorType, type Value } from '../graph/graph.ts';
import { tensorOfConstant } from '../graph/ops/constant.ts';
import { draws } from '../graph/random.ts';
import { byteSize, type Tensor } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';

/** One value of two gigabytes: no text of any length needs it. */
const LARGEST = 2 ** 31;

/** What a name stands for in a graph and in those around it, where it is a constant. */
type ConstantOf = (name: Value) => Tensor | undefined;

const constantsOf = (graph: Graph, around: ConstantOf): ConstantOf => {
  const own = new Set(graph.inputs);
  return (name) => {
    const node = indexOf(graph).producer.get(name);
    if (node !== undefined) return node.op === 'Constant' && node.domain === '' ? tensorOfConstant(node) : undefined;
    return graph.weights.get(name) ?? (own.has(name) ? undefined : around(name));
  };
};

const bodiesOf = (node: Node): readonly Graph[] =>
  Object.values(node.attrs).flatMap((attribute) => (attribute.kind === 'graph' ? [attribute.value] : []));

const sizeOf = (type: TensorType | undefined): number => {
  const numbers = type?.shape?.filter((dim) => typeof dim === 'number') ?? [];
  return type === undefined || numbers.length !== type.shape?.length ? 0 : byteSize(type.dtype, numbers);
};

const calledOf = (node: Node): string => `node '${node.name || node.outputs[0]}'`;

/** Every body but those of an If is there to be run again and again: Loop, Scan, SequenceMap, searches of decoders. */
const expectOnce = (node: Node): void => {
  if (node.op === 'If' || bodiesOf(node).length === 0) return;
  throw modelError(
    `${calledOf(node)} is a ${node.op}, and nobody can tell whether it ends, or when; no encoder of texts needs one, so decant runs none`,
  );
};

const expectDecided = (node: Node, constant: ConstantOf): void => {
  if (!draws(node, constant)) return;
  const how = node.op === 'Dropout' ? 'a Dropout in training mode' : `a ${node.op}`;
  throw modelError(
    `${calledOf(node)} is ${how}, which draws random numbers: the same text would get another answer each time; export the model for inference, without it`,
  );
};

const expectSmall = (node: Node, { types }: Graph): void => {
  const large = node.outputs.find((output) => sizeOf(types.get(output)) > LARGEST);
  if (large === undefined) return;
  throw modelError(
    `node '${node.name || large}' (${node.op}) makes a value of ${sizeOf(types.get(large))} bytes whatever the text is; expected at most ${LARGEST}`,
  );
};

const expectAll = (graph: Graph, around: ConstantOf): void => {
  const constant = constantsOf(graph, around);
  for (const node of graph.nodes) {
    expectOnce(node);
    expectDecided(node, constant);
    expectSmall(node, graph);
    for (const body of bodiesOf(node)) expectAll(body, constant);
  }
};

/**
 * Refuses graphs of which it can be seen that running them has no end, takes all memory or answers by chance, before a
 * runtime tries. What only a run shows is for whoever watches it.
 */
export const expectBounded = (graph: Graph): void => expectAll(graph, () => undefined);
