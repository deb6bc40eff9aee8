import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { arrayOf, elementCount, type Tensor } from '../../graph/tensor.ts';

/** Operators that multiply their first input by a weight, and the input that holds the steps of an integer weight. */
const multiplying: Readonly<Record<string, number | null>> = {
  MatMul: null,
  FusedMatMul: null,
  Gemm: null,
  FusedGemm: null,
  Attention: null,
  MatMulInteger: null,
  MatMulIntegerToFloat: 3,
  DynamicQuantizeMatMul: 2,
  QAttention: 4,
};

/** A product of activations with a weight matrix: (rows, inner) times (inner, columns). */
export interface Product {
  readonly node: Node;
  readonly weight: Value;
  readonly tensor: Tensor;
  readonly inner: number;
  readonly columns: number;
  /** Whether the weight is stored as (columns, inner). */
  readonly turned: boolean;
}

export const intAttribute = (node: Node, name: string): number | undefined => {
  const attribute = node.attrs[name];
  return attribute?.kind === 'int' ? attribute.value : undefined;
};

/** The node as a product with a weight, or undefined where it is none. The projections inside Attention are one, too. */
export const productOf = (graph: Graph, node: Node): Product | undefined => {
  const [activation, weight] = node.inputs;
  if (!(node.op in multiplying) || activation == null || weight == null || graph.weights.has(activation)) return;
  const tensor = graph.weights.get(weight);
  if (tensor?.dims.length !== 2 || intAttribute(node, 'transA') === 1) return undefined;
  const turned = intAttribute(node, 'transB') === 1;
  const [first = 0, second = 0] = tensor.dims;
  return { node, weight, tensor, inner: turned ? second : first, columns: turned ? first : second, turned };
};

export const productsOf = (graph: Graph): readonly Product[] =>
  graph.nodes.flatMap((node) => productOf(graph, node) ?? []);

/** A product of two activations, as inside attention. */
export const isActivationProduct = (graph: Graph, node: Node): boolean =>
  (node.op === 'MatMul' || node.op === 'FusedMatMul') &&
  node.inputs.slice(0, 2).every((input) => input !== null && !graph.weights.has(input));

/** Attention that multiplies by its packed projections itself. */
export const isPackedAttention = (node: Node): boolean =>
  node.domain === 'com.microsoft' && (node.op === 'Attention' || node.op === 'QAttention');

/** Whether an integer weight has a step for each column; null where it is float or the steps are applied elsewhere. */
export const hasChannelScales = (graph: Graph, { node, columns, tensor }: Product): boolean | null => {
  const position = multiplying[node.op] ?? null;
  if (tensor.dtype.startsWith('float') || position === null) return null;
  const scale = node.inputs[position] ?? undefined;
  const steps = scale === undefined ? undefined : graph.weights.get(scale);
  return steps === undefined ? null : elementCount(steps.dims) === columns && columns > 1;
};

/** Zeros among the elements of a weight, 0 to 1; types without a zero of their own count as having none. */
export const zerosOf = ({ tensor }: Product): number => {
  const elements = elementCount(tensor.dims);
  if (elements === 0 || (tensor.dtype !== 'float32' && tensor.dtype !== 'int8')) return 0;
  let zeros = 0;
  for (const element of arrayOf(tensor)) if (Number(element) === 0) zeros++;
  return zeros / elements;
};

/** The vector that is added to a product right behind it, where nothing else reads the product. */
export const biasBehind = (graph: Graph, node: Node): { readonly add: Node; readonly bias: Value } | undefined => {
  const [output] = node.outputs;
  if (output === undefined || graph.outputs.includes(output)) return undefined;
  const [add, ...others] = indexOf(graph).users.get(output) ?? [];
  if (add?.op !== 'Add' || others.length > 0) return undefined;
  const bias = add.inputs.find((input) => input !== output) ?? undefined;
  return bias !== undefined && graph.weights.get(bias)?.dims.length === 1 ? { add, bias } : undefined;
};
