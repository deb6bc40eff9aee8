import { type Graph, type Value, value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { elementCount, floatPiecesOf, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { roleOf } from '../../models/anatomy/roles.ts';
import type { Model } from '../../models/model.ts';
import { zerosIn } from '../../models/sparse.ts';
import { isPruned, type Prunable } from './config.ts';
import { zeroSmallest } from './smallest.ts';
import { zerosFor } from './zeros.ts';

/** Names of the parameters that sparsity prunes, in the order in which the graph stores them. */
export const prunableNames = (model: Pick<Model, 'graph' | 'info'>, which: Prunable): readonly Value[] =>
  parameterNames(model.graph).filter((name) => isPruned(roleOf(model, name), which));

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
