import { GraphBuilder } from '../builder.ts';
import { symbol } from '../dim.ts';
import { capturedBy, type Graph, type Node, type Value } from '../graph.ts';
import { longAxes } from '../sites/content.ts';
import { isParameter, type Site, sitesOfWeight } from '../sites.ts';
import { type Tensor, vector } from '../tensor.ts';
import { namesBeside } from './bodies.ts';
import { contentOf } from './content.ts';
import { ownersOf } from './owners.ts';
import type { Pass } from './pass.ts';

/** A vector of one number over and over, as new biases and norms are: exporters keep equal ones once. */
const isNew = (tensor: Tensor): boolean =>
  tensor.dtype === 'float32' && longAxes(tensor.dims).length === 1 && contentOf(tensor).uniform;

/** What tells a parameter from others of the same numbers. */
const identityOf = (graph: Graph, site: Site): string => `${site.use.kind}\n${ownersOf(graph, site).join('\n')}`;

/** The places of a weight, by the parameter that it is there. */
const parametersOf = (graph: Graph, weight: Value): readonly (readonly Site[])[] => {
  const groups = new Map<string, Site[]>();
  for (const site of sitesOfWeight(graph, weight)) {
    if (site.use.kind === 'fixed' || site.through.length > 0) return [];
    const identity = identityOf(graph, site);
    groups.set(identity, [...(groups.get(identity) ?? []), site]);
  }
  return [...groups.values()];
};

/** Names that nodes read in place of others, by input. */
type Reads = Map<Node, Map<number, Value>>;

interface Copies {
  readonly reads: Reads;
  readonly weights: Map<Value, Tensor>;
}

const copy = (
  graph: Graph,
  [name, tensor]: readonly [Value, Tensor],
  copies: Copies,
  fresh: (name: string) => Value,
) => {
  for (const sites of parametersOf(graph, name).slice(1)) {
    const own = fresh(`${name}/${copies.weights.size}`);
    copies.weights.set(own, tensor);
    for (const { node, use } of sites) {
      const reads = copies.reads.get(node) ?? new Map<number, Value>();
      copies.reads.set(node, reads.set(use.input, own));
    }
  }
};

const run = (graph: Graph): Graph => {
  const fresh = namesBeside(graph);
  const bound = new Set([...graph.outputs, ...graph.nodes.flatMap(capturedBy)]);
  const copies: Copies = { reads: new Map(), weights: new Map() };
  for (const weight of graph.weights) {
    const [name, tensor] = weight;
    if (!bound.has(name) && isParameter(graph, name) && isNew(tensor)) copy(graph, weight, copies, fresh);
  }
  if (copies.weights.size === 0) return graph;
  const builder = GraphBuilder.like(graph, { weights: new Map([...graph.weights, ...copies.weights]) });
  for (const node of graph.nodes) {
    const reads = copies.reads.get(node);
    const inputs = node.inputs.map((name, i) => reads?.get(i) ?? name);
    builder.add({ ...node, inputs }, (name) => graph.types.get(name));
  }
  return builder.freeze(graph.outputs);
};

const matrix = (seed: number): Tensor =>
  vector(
    'float32',
    Array.from({ length: 16 }, (_, i) => Math.cos(seed + i)),
    [4, 4],
  );

/** Two layers that read one bias, one norm and, perhaps, one matrix. */
const layers = (bias: readonly number[], matrices: number): Graph => {
  const builder = new GraphBuilder('layers');
  let h = builder.input('x', 'float32', [symbol('batch'), 4]);
  const w = Array.from({ length: matrices }, (_, i) => builder.weight(`w.${i}`, matrix(i)));
  const b = builder.weight('b', vector('float32', bias));
  for (const layer of [0, 1]) {
    const product = builder.op('MatMul', [h, w[layer % matrices] ?? h]);
    h = builder.op('Tanh', [builder.op('Add', [product, b])]);
  }
  return builder.freeze([builder.op('Neg', [h], {}, 'y')]);
};

/** A vector of equal numbers that serves as several parameters is several: one of them may go, and each learns for itself. */
export const split: Pass = {
  name: 'split',
  run,
  changes: [{ name: 'a bias of zeros behind two matrices', graph: () => layers([0, 0, 0, 0], 2) }],
  leaves: [
    { name: 'a bias of zeros behind one matrix', graph: () => layers([0, 0, 0, 0], 1) },
    { name: 'a bias that was learned, behind two matrices', graph: () => layers([0.1, -1, 2, 0.3], 2) },
  ],
};
