import { type Graph, indexOf, type Node, opsetOf, type Value } from '../graph/graph.ts';
import { findOp } from '../graph/ops/index.ts';
import { parameterNames, type Site, sitesOfWeight } from '../graph/sites.ts';
import type { Tensor } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';
import { type Initializer, initialize } from './initialize.ts';
import type { Model } from './model.ts';

/** Embeddings start as BERT's do. */
const table: Initializer = { kind: 'normal', deviation: 0.02 };

const rectifiers: ReadonlySet<string> = new Set(['Relu', 'Gelu']);

/** Whether what a matrix multiplies goes straight, perhaps past a bias, into a rectifier. */
const feedsRectifier = (graph: Graph, node: Node): boolean => {
  const [output] = node.outputs;
  const next = output === undefined ? [] : (indexOf(graph).users.get(output) ?? []);
  return next.some(
    (user) => rectifiers.has(user.op) || (user.op === 'Add' && node.op !== 'Add' && feedsRectifier(graph, user)),
  );
};

const initializerAt = (graph: Graph, { use, node, through }: Site, dims: readonly number[]): Initializer => {
  switch (use.kind) {
    case 'norm':
    case 'scale':
      return { kind: 'ones' };
    case 'bias':
      return dims.length === 1 ? { kind: 'zeros' } : table;
    case 'linear': {
      const fans = [dims[use.inner] ?? 1, dims[use.outer] ?? 1] as const;
      return { kind: through.length === 0 && feedsRectifier(graph, node) ? 'he' : 'xavier', fans };
    }
    default:
      return table;
  }
};

const initializerOf = (graph: Graph, name: Value, { dims }: Tensor): Initializer => {
  const site = sitesOfWeight(graph, name).find(({ use }) => use.kind !== 'fixed');
  if (site === undefined) throw new Error(`'${name}' is no parameter`);
  const { op, domain } = site.node;
  if (findOp(domain, op, opsetOf(graph.opsets, domain)) === undefined)
    throw modelError(`parameter '${name}' is read by ${op}, which decant does not know: it cannot be drawn anew`);
  return initializerAt(graph, site, dims);
};

/** The graph with every parameter drawn anew, as what it is for asks. */
export const reinitializeGraph = (graph: Graph, seed: number): Graph => {
  const weights = new Map(graph.weights);
  for (const name of parameterNames(graph)) {
    const tensor = weights.get(name);
    if (tensor === undefined) continue;
    weights.set(name, initialize(seed, name, tensor.dims, initializerOf(graph, name, tensor)));
  }
  return { ...graph, weights };
};

/** The same shape from random weights: the control that shows what a model owes to its training. */
export const reinitialize = (model: Model, seed: number): Model => ({
  ...model,
  graph: reinitializeGraph(model.graph, seed),
  info: { ...model.info, origin: `random weights of seed ${seed}` },
});
