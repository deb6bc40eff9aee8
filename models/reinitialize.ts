import { type Graph, indexOf, type Node, opsetOf, type Value } from '../graph/graph.ts';
import { findOp } from '../graph/ops/index.ts';
import { parameterNames, type Site, sitesOfWeight } from '../graph/sites.ts';
import type { Tensor } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';
import { modelTask } from '../ground/tasks.ts';
import { type Initializer, initialize } from './initialize.ts';
import type { Model, ModelInfo } from './model.ts';
import { withPlaces } from './places.ts';
import { withoutSparse } from './sparse.ts';
import { answerHead } from './unit.ts';

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

/** The graph with every parameter drawn anew, as what it is for asks; zeros where a parameter is one of the `blank`. */
export const reinitializeGraph = (graph: Graph, seed: number, blank: readonly Value[] = []): Graph => {
  const weights = new Map(graph.weights);
  for (const name of parameterNames(graph)) {
    const tensor = weights.get(name);
    if (tensor === undefined) continue;
    const kind = blank.includes(name) ? { kind: 'zeros' as const } : initializerOf(graph, name, tensor);
    weights.set(name, initialize(seed, name, tensor.dims, kind));
  }
  return { ...graph, weights };
};

/** A head of numbers in a unit starts at zero: what was drawn at random would be of no unit. */
const blankIn = (model: Model): readonly Value[] => {
  if (modelTask(model.info.task).answer !== 'number') return [];
  const { weight, bias } = answerHead(model) ?? {};
  return [weight, bias].filter((name) => name !== undefined);
};

/** What reads images by patches begins with their places, as a new one does. */
const placed = (graph: Graph, { processor: { pixels }, dimensions: { patch } }: ModelInfo): Graph =>
  pixels === undefined || patch === undefined
    ? graph
    : withPlaces(graph, [Math.floor(pixels.height / patch), Math.floor(pixels.width / patch)]);

/** The same shape from random weights: the control that shows what a model owes to its training. */
export const reinitialize = (given: Model, seed: number): Model => {
  const model = withoutSparse(given);
  const graph = placed(reinitializeGraph(model.graph, seed, blankIn(model)), model.info);
  return { ...model, graph, info: { ...model.info, origin: `random weights of seed ${seed}` } };
};
