import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { blockProductAt } from '../../graph/quantize/stored.ts';
import { productAt, type Product as SiteOfProduct, sitesAt } from '../../graph/sites.ts';
import { arrayOf, elementCount, type Tensor } from '../../graph/tensor.ts';

/** A product of activations with a weight matrix: (rows, inner) times (inner, columns). */
export interface Product {
  readonly node: Node;
  readonly weight: Value;
  readonly tensor: Tensor;
  readonly inner: number;
  readonly columns: number;
  /** Of its weight, where that stands in blocks; such a product computes in floats. */
  readonly bits: number | undefined;
  /** Where the kernel has the matrix, and the steps and zero points of an integer one. */
  readonly use: SiteOfProduct['use'];
  /** The vector that is added, by the kernel or right behind it. */
  readonly bias: Value | undefined;
  /** Whether the weight is stored as (columns, inner). */
  readonly turned: boolean;
}

export const intAttribute = (node: Node, name: string): number | undefined => {
  const attribute = node.attrs[name];
  return attribute?.kind === 'int' ? attribute.value : undefined;
};

/** The product that a node is, by a matrix or by blocks of few bits. */
export const productSiteAt = (graph: Graph, node: Node): SiteOfProduct | undefined =>
  blockProductAt(node) === undefined
    ? productAt(graph, node)
    : sitesAt(graph, node).find((site): site is SiteOfProduct => site.use.kind === 'linear');

/** The node as a product with a weight, or undefined where it is none. The projections inside Attention are one, too. */
export const productOf = (graph: Graph, node: Node): Product | undefined => {
  const site = productSiteAt(graph, node);
  const tensor = site === undefined ? undefined : graph.weights.get(site.weight);
  if (site === undefined || tensor === undefined || site.use.input !== 1 || intAttribute(node, 'transA') === 1) return;
  const { weight, use, bias } = site;
  const blocks = blockProductAt(node);
  const { inner, columns } = blocks ?? { inner: tensor.dims[use.inner] ?? 0, columns: tensor.dims[use.outer] ?? 0 };
  return { node, weight, tensor, inner, columns, bits: blocks?.bits, use, bias, turned: use.inner > use.outer };
};

export const productsOf = (graph: Graph): readonly Product[] =>
  graph.nodes.flatMap((node) => productOf(graph, node) ?? []);

/** Attention that multiplies by its packed projections itself. */
export const isPackedAttention = (node: Node): boolean =>
  node.domain === 'com.microsoft' && (node.op === 'Attention' || node.op === 'QAttention');

/** Whether an integer weight has a step for each column; null where it is float or the steps are applied elsewhere. */
export const hasChannelScales = (graph: Graph, { node, columns, tensor, use, bits }: Product): boolean | null => {
  if (tensor.dtype.startsWith('float') || use.steps === undefined || bits !== undefined) return null;
  const scale = node.inputs[use.steps] ?? undefined;
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

/** The node right behind a product that adds its bias, where the kernel does not. */
export const biasBehind = (
  graph: Graph,
  { node, bias }: Product,
): { readonly add: Node; readonly bias: Value } | undefined => {
  const [output] = node.outputs;
  if (bias === undefined || output === undefined || node.inputs.includes(bias)) return undefined;
  const [add] = indexOf(graph).users.get(output) ?? [];
  return add === undefined ? undefined : { add, bias };
};
