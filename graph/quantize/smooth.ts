import { GraphBuilder } from '../builder.ts';
import { type Graph, indexOf, type Node, type Value } from '../graph.ts';
import { sitesAt, sitesOfWeight } from '../sites.ts';
import { elementCount, floatPiecesOf, newArray, type Tensor, tensorOf, vector } from '../tensor.ts';
import { formAt } from './forms.ts';

/** Products that read one activation, each with a matrix of its own: (inputs, outputs), or the other way round. */
export interface Group {
  readonly input: Value;
  readonly width: number;
  readonly products: readonly { readonly node: Node; readonly weight: Value; readonly inner: number }[];
}

/** Products of 8 bits by the activation that they read; without those that share a matrix with another node. */
export const productGroups = (graph: Graph): readonly Group[] => {
  const groups = new Map<Value, Group>();
  for (const node of graph.nodes) {
    for (const site of sitesAt(graph, node)) {
      const [input] = node.inputs;
      const dims = graph.weights.get(site.weight)?.dims ?? [];
      if (input == null || site.use.kind !== 'linear' || formAt(site) !== 'linear' || dims.length !== 2) continue;
      const { inner } = site.use;
      if (sitesOfWeight(graph, site.weight).length !== 1 || site.answers) continue;
      const known = groups.get(input)?.products ?? [];
      groups.set(input, { input, width: dims[inner] ?? 0, products: [...known, { node, weight: site.weight, inner }] });
    }
  }
  return [...groups.values()];
};

/** A matrix or vector whose numbers are multiplied by one of `factors` each, by their index along an axis. */
const scaled = (tensor: Tensor, axis: number, factors: Float32Array): Tensor => {
  const data = newArray('float32', elementCount(tensor.dims));
  const behind = elementCount(tensor.dims.slice(axis + 1));
  const size = tensor.dims[axis] ?? 1;
  let at = 0;
  for (const piece of floatPiecesOf(tensor)) {
    for (const x of piece) {
      data[at] = x * (factors[Math.floor(at / behind) % size] ?? 1);
      at++;
    }
  }
  return tensorOf('float32', tensor.dims, data);
};

/** Scales by the activation that they divide, an element an input. */
export type Scales = ReadonlyMap<Value, Float32Array>;

const inverse = (scales: Float32Array): Float32Array<ArrayBuffer> => Float32Array.from(scales, (s) => 1 / s);

/** A weight that divides the activation when some of its numbers, along an axis, are divided. */
interface Fold {
  readonly weight: Value;
  readonly axis: number;
  /** Indices of the axis before those of the activation: queries and keys stand before values. */
  readonly before: number;
}

const readOnce = (graph: Graph, names: readonly Value[]): boolean =>
  names.every((name) => graph.weights.has(name) && indexOf(graph).users.get(name)?.length === 1);

/** What a norm ends with: a scale and a shift. */
const foldsOfNorm = (graph: Graph, node: Node): readonly Fold[] => {
  const vectors = node.inputs.slice(1).filter((name) => name !== null);
  const ends = sitesAt(graph, node).filter(({ use }) => use.kind === 'norm' || use.kind === 'bias');
  const isOwn = vectors.every((name) => ends.some(({ weight }) => weight === name));
  return isOwn && ends.some(({ use }) => use.kind === 'norm') && readOnce(graph, vectors)
    ? vectors.map((weight) => ({ weight, axis: 0, before: 0 }))
    : [];
};

/** Values of attention are mixed and nothing else, so that their projection divides what comes out. */
const foldsOfAttention = (graph: Graph, node: Node, width: number): readonly Fold[] => {
  const [, matrix, bias] = node.inputs;
  const isPlain = sitesAt(graph, node).some((site) => site.weight === matrix && formAt(site) === 'linear');
  if (!isPlain || matrix == null || bias == null || !readOnce(graph, [matrix, bias])) return [];
  if (graph.weights.get(matrix)?.dims[1] !== 3 * width) return [];
  const before = 2 * width;
  return [
    { weight: matrix, axis: 1, before },
    { weight: bias, axis: 0, before },
  ];
};

/** Where dividing costs nothing: nobody but the group reads the activation, and what makes it ends with weights. */
const foldsInto = (graph: Graph, { input, products, width }: Group): readonly Fold[] => {
  const { producer, users } = indexOf(graph);
  const made = producer.get(input);
  if (made === undefined || made.outputs.length !== 1 || graph.outputs.includes(input)) return [];
  const own = new Set(products.map(({ node }) => node));
  if (!(users.get(input) ?? []).every((user) => own.has(user))) return [];
  return made.domain === '' ? foldsOfNorm(graph, made) : foldsOfAttention(graph, made, width);
};

/** Weights after all groups were divided, and what stands before the products of the groups that nothing folds. */
const divided = (graph: Graph, groups: readonly Group[], scales: Scales) => {
  const weights = new Map(graph.weights);
  const between = new Map<Value, Float32Array<ArrayBuffer>>();
  const scale = (name: Value, axis: number, factors: Float32Array): void => {
    const tensor = weights.get(name);
    if (tensor !== undefined) weights.set(name, scaled(tensor, axis, factors));
  };
  for (const group of groups) {
    const own = scales.get(group.input) ?? new Float32Array();
    for (const { weight, inner } of group.products) scale(weight, inner, own);
    const folds = foldsInto(graph, group);
    if (folds.length === 0) between.set(group.input, inverse(own));
    for (const { weight, axis, before } of folds) {
      scale(weight, axis, Float32Array.of(...new Float32Array(before).fill(1), ...inverse(own)));
    }
  }
  return { weights, between };
};

/**
 * The same function with activations divided by `scales` and the matrices behind them multiplied: what is rounded is even. A
 * norm that feeds products alone divides at once; elsewhere a product with a vector stands between.
 *
 * Xiao et al. 2022, SmoothQuant, arXiv 2211.10438.
 */
export const smoothed = (graph: Graph, scales: Scales): Graph => {
  const groups = productGroups(graph).filter(({ input }) => scales.has(input));
  const { weights, between } = divided(graph, groups, scales);
  const reads = new Map(groups.flatMap(({ input, products }) => products.map(({ node }) => [node, input] as const)));
  const builder = GraphBuilder.like(graph, { weights });
  const stands = new Map<Value, Value>();
  for (const node of graph.nodes) {
    const x = reads.get(node);
    const factors = x === undefined ? undefined : between.get(x);
    if (x !== undefined && factors !== undefined && !stands.has(x)) {
      const product = builder.within(`${x}/smoothed`, () =>
        builder.op('Mul', [x, builder.constant(vector('float32', [...factors]))]),
      );
      stands.set(x, product);
    }
    const inputs = node.inputs.map((input, i) => (i === 0 && x !== undefined ? (stands.get(x) ?? input) : input));
    builder.add({ ...node, inputs }, (value) => graph.types.get(value));
  }
  return builder.freeze(graph.outputs);
};
