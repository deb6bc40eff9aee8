import { GraphBuilder } from '../builder.ts';
import { symbol } from '../dim.ts';
import type { Graph, Node } from '../graph.ts';
import { foldConstants } from '../rewrite/fold.ts';
import { vector } from '../tensor.ts';
import type { Pass } from './pass.ts';

const isBare = ({ attrs }: Node): boolean => Object.keys(attrs).length === 0;

const isSameNode = (a: Node, b: Node | undefined): boolean =>
  b !== undefined &&
  a.op === b.op &&
  a.domain === b.domain &&
  (a.attrs === b.attrs || (isBare(a) && isBare(b))) &&
  a.inputs.length === b.inputs.length &&
  a.inputs.every((name, i) => name === b.inputs[i]) &&
  a.outputs.every((name, i) => name === b.outputs[i]);

/** Whether folding found nothing to do. */
const isSameGraph = (graph: Graph, folded: Graph): boolean =>
  graph.nodes.length === folded.nodes.length &&
  graph.weights.size === folded.weights.size &&
  graph.nodes.every((node, i) => isSameNode(node, folded.nodes[i])) &&
  [...graph.weights].every(([name, tensor]) => folded.weights.get(name) === tensor);

const written = (): Graph => {
  const builder = new GraphBuilder('written');
  const x = builder.input('x', 'float32', [symbol('batch'), 3]);
  const w = builder.op('Constant', [], { value: vector('float32', [1, 2, 3, 4, 5, 6], [2, 3]) });
  const turned = builder.op('Transpose', [builder.op('Identity', [w])], { perm: [1, 0] });
  return builder.freeze([builder.op('MatMul', [builder.op('Identity', [x]), turned], {}, 'y')]);
};

const plain = (): Graph => {
  const builder = new GraphBuilder('plain');
  const x = builder.input('x', 'float32', [symbol('batch'), 3]);
  const w = builder.weight('w', vector('float32', [1, 2, 3, 4, 5, 6], [3, 2]));
  return builder.freeze([builder.op('MatMul', [x, w], {}, 'y')]);
};

/** What does not depend on the inputs is a weight; what passes a value on, repeats or is read by nothing goes. */
export const fold: Pass = {
  name: 'fold',
  run: (graph) => {
    const folded = foldConstants(graph);
    return isSameGraph(graph, folded) ? graph : folded;
  },
  changes: [{ name: 'a weight in a Constant, behind an Identity and a Transpose', graph: written }],
  leaves: [{ name: 'a product with a weight', graph: plain }],
};
