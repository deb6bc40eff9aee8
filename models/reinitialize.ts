import { type Graph, indexOf, type Node, type Value } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';
import { type Initializer, initialize } from './initialize.ts';
import type { Model } from './model.ts';
import { parameterNames } from './parameters.ts';

/** Embeddings start as BERT's do. */
const EMBEDDING_DEVIATION = 0.02;

const rectifiers: ReadonlySet<string> = new Set(['Relu', 'Gelu']);

/** Whether what a matrix multiplies goes straight, perhaps past a bias, into a rectifier. */
const feedsRectifier = (graph: Graph, node: Node): boolean => {
  const [output] = node.outputs;
  const next = output === undefined ? [] : (indexOf(graph).users.get(output) ?? []);
  return next.some(
    (user) => rectifiers.has(user.op) || (user.op === 'Add' && node.op !== 'Add' && feedsRectifier(graph, user)),
  );
};

const initializerAt = (
  graph: Graph,
  node: Node,
  position: number,
  dims: readonly number[],
): Initializer | undefined => {
  switch (node.op) {
    case 'LayerNormalization':
      // A table of relative positions is normalised whole.
      if (position === 0) return { kind: 'normal', deviation: EMBEDDING_DEVIATION };
      return { kind: position === 1 ? 'ones' : 'zeros' };
    case 'Mul':
      // A scale without a norm.
      return dims.length === 1 ? { kind: 'ones' } : undefined;
    case 'Unsqueeze':
      return { kind: 'normal', deviation: EMBEDDING_DEVIATION };
    case 'Transpose':
      // The kernel of a convolution; tied embeddings are known by their look-up.
      return dims.length === 3 ? { kind: 'xavier' } : undefined;
    case 'Concat':
      return { kind: 'xavier' };
    case 'Gather':
      return { kind: 'normal', deviation: EMBEDDING_DEVIATION };
    case 'MatMul':
      return { kind: feedsRectifier(graph, node) ? 'he' : 'xavier' };
    case 'Add':
      return dims.length === 1 ? { kind: 'zeros' } : { kind: 'normal', deviation: EMBEDDING_DEVIATION };
    default:
      return undefined;
  }
};

const initializerOf = (graph: Graph, name: Value, { dims }: Tensor): Initializer => {
  for (const node of indexOf(graph).users.get(name) ?? []) {
    const found = initializerAt(graph, node, node.inputs.indexOf(name), dims);
    if (found !== undefined) return found;
  }
  const users = (indexOf(graph).users.get(name) ?? []).map((node) => node.op).join(', ');
  throw modelError(
    `parameter '${name}' is read by ${users || 'no node'}: decant knows how to draw what LayerNormalization, Gather, ` +
      `MatMul, Mul, Add, Concat, Transpose and Unsqueeze read`,
  );
};

/** The graph with every parameter drawn anew. What a parameter is for is read off the nodes that use it. */
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
