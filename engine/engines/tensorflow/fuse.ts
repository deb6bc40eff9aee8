import { GraphBuilder } from '../../../graph/builder.ts';
import { type Graph, indexOf, type Node, type Value } from '../../../graph/graph.ts';
import { intAttr, intsAttr } from '../../../graph/ops/shared-structure.ts';
import { elementCount, numbersOf } from '../../../graph/tensor.ts';

/** A node in other words, where what makes its inputs says so. */
type Rule = (node: Node, graph: Graph) => Node;

const madeBy = (graph: Graph, value: Value | null | undefined, op: string): Node | undefined => {
  const node = value == null ? undefined : indexOf(graph).producer.get(value);
  return node?.op === op && node.domain === '' ? node : undefined;
};

/** Whether a Transpose exchanges the last two axes and no others. */
const exchangesMatrix = (node: Node): boolean => {
  const axes = intsAttr(node, 'perm') ?? [];
  const turned = axes.map((_, i) => (i < axes.length - 2 ? i : 2 * axes.length - 3 - i));
  return axes.length > 1 && axes.join() === turned.join();
};

/** One side of a product, as it is before it is turned. */
const untransposed = (side: 0 | 1): Rule => {
  const name = side === 0 ? 'transA' : 'transB';
  return (node, graph) => {
    const { op, domain } = node;
    const isProduct = op === 'FusedMatMul' || (domain === '' && (op === 'MatMul' || op === 'Gemm'));
    const turn = isProduct ? madeBy(graph, node.inputs[side], 'Transpose') : undefined;
    const [x] = turn?.inputs ?? [];
    if (turn === undefined || x == null || !exchangesMatrix(turn)) return node;
    const fused = op === 'MatMul' ? { op: 'FusedMatMul', domain: 'com.microsoft' } : {};
    const flag = { kind: 'int', value: 1 - intAttr(node, name, 0) } as const;
    return { ...node, ...fused, inputs: node.inputs.with(side, x), attrs: { ...node.attrs, [name]: flag } };
  };
};

const isOne = (graph: Graph, value: Value | null | undefined): boolean => {
  const weight = value == null ? undefined : graph.weights.get(value);
  return weight?.dtype === 'float32' && elementCount(weight.dims) === 1 && numbersOf(weight)[0] === 1;
};

/** A norm that is scaled by ones, as gradients ask for it, is not scaled. */
const dropOnes: Rule = (node, graph) => {
  if (node.op !== 'LayerNormalization' || node.domain !== '') return node;
  const ones = madeBy(graph, node.inputs[1], 'Expand');
  return isOne(graph, ones?.inputs[0]) ? { ...node, inputs: node.inputs.with(1, null) } : node;
};

/** Products take either side as it is turned: no copy of it is made. */
const rules: readonly Rule[] = [untransposed(0), untransposed(1), dropOnes];

/** The graph in fewer calls of the library: each of them is a pass over memory, and a call from JavaScript. */
export const fused = (graph: Graph): Graph => {
  const builder = GraphBuilder.like(graph);
  for (const node of graph.nodes) {
    const other = rules.reduce((one, rule) => rule(one, graph), node);
    builder.add(other, (output) => graph.types.get(output));
  }
  return builder.freeze(graph.outputs);
};
