import { type Graph, type Value, value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { elementCount } from '../../graph/tensor.ts';
import { roleOf } from '../../models/anatomy/roles.ts';
import { zerosIn } from '../../models/sparse.ts';
import { isPruned, type Prunable } from './config.ts';

/** Names of the parameters that sparsity prunes, in the order in which the graph stores them. */
export const prunableNames = (model: Parameters<typeof roleOf>[0], which: Prunable): readonly Value[] =>
  parameterNames(model.graph).filter((name) => isPruned(roleOf(model, name), which));

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
