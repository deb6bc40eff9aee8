import { type Graph, indexOf, type Node, type Value, value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { elementCount, floatPiecesOf, type Tensor, tensorOf } from '../../graph/tensor.ts';
import type { PruneOptions } from './config.ts';
import { zeroSmallest } from './smallest.ts';

export type Role = 'matrix' | 'classifier' | 'embedding' | 'norm' | 'bias';

const isProduct = (node: Node): boolean => node.op === 'MatMul' || node.op === 'Gemm';

/** Whether nothing but additions and activations stands between a product and a result of the graph. */
const isLastProduct = (graph: Graph, product: Value): boolean => {
  if (graph.outputs.includes(product)) return true;
  const users = indexOf(graph).users.get(product) ?? [];
  return (
    users.length > 0 &&
    users.every((user) => user.op === 'Add' && user.outputs.every((out) => isLastProduct(graph, out)))
  );
};

/** What a parameter does, read off the nodes that use it. `classifies` tells class scores from features. */
export const roleOf = (graph: Graph, name: Value, classifies: boolean): Role => {
  const users = indexOf(graph).users.get(name) ?? [];
  const rank = graph.weights.get(name)?.dims.length ?? 0;
  if (users.some((node) => node.op === 'Gather' && node.inputs[0] === name)) return 'embedding';
  if (rank < 2) return users.some((node) => node.op.includes('Normalization') || node.op === 'Mul') ? 'norm' : 'bias';
  const [output] = users.find(isProduct)?.outputs ?? [];
  return classifies && output !== undefined && isLastProduct(graph, output) ? 'classifier' : 'matrix';
};

export type Prunable = Pick<PruneOptions, 'embeddings' | 'include'>;

const isPruned = (role: Role, { embeddings, include }: Prunable): boolean => {
  switch (role) {
    case 'matrix':
      return true;
    case 'embedding':
      return embeddings;
    case 'classifier':
      return include.includes('classifier');
    case 'norm':
      return include.includes('norms');
    case 'bias':
      return include.includes('biases');
  }
};

/** Names of the parameters that sparsity prunes, in the order in which the graph stores them. */
export const prunableNames = (graph: Graph, classifies: boolean, which: Prunable): readonly Value[] =>
  parameterNames(graph).filter((name) => isPruned(roleOf(graph, name, classifies), which));

/** Zeros that a sparsity asks of `elements`: rounded up, so that the share is reached. */
export const zerosFor = (sparsity: number, elements: number): number =>
  Math.min(elements, Math.ceil(sparsity * elements));

const copyOf = (tensor: Tensor): Float32Array<ArrayBuffer> => {
  const copy = new Float32Array(elementCount(tensor.dims));
  let at = 0;
  for (const piece of floatPiecesOf(tensor)) {
    copy.set(piece, at);
    at += piece.length;
  }
  return copy;
};

/** The graph with the smallest magnitudes over all named weights set to 0, ranked together (Han et al. 2015, 1506.02626). */
export const sparsify = (graph: Graph, names: readonly string[], sparsity: number): Graph => {
  const tensors = names.flatMap((name) => {
    const tensor = graph.weights.get(value(name));
    return tensor === undefined ? [] : [{ name: value(name), dims: tensor.dims, data: copyOf(tensor) }];
  });
  const arrays = tensors.map(({ data }) => data);
  zeroSmallest(
    arrays,
    zerosFor(
      sparsity,
      arrays.reduce((sum, { length }) => sum + length, 0),
    ),
  );
  const weights = new Map(graph.weights);
  for (const { name, dims, data } of tensors) weights.set(name, tensorOf('float32', dims, data));
  return { ...graph, weights };
};

const zerosIn = (tensor: Tensor): number => {
  let zeros = 0;
  for (const piece of floatPiecesOf(tensor)) for (const w of piece) zeros += Number(w === 0);
  return zeros;
};

/** Zeros among the pruned weights and among all parameters. */
export const zeroShares = (
  graph: Graph,
  names: readonly string[],
): { readonly pruned: number; readonly model: number } => {
  const share = (of: readonly string[]): number => {
    const tensors = of.flatMap((name) => graph.weights.get(value(name)) ?? []);
    const elements = tensors.reduce((sum, { dims }) => sum + elementCount(dims), 0);
    return tensors.reduce((sum, tensor) => sum + zerosIn(tensor), 0) / Math.max(1, elements);
  };
  return { pruned: share(names), model: share(parameterNames(graph)) };
};
