import { GraphBuilder } from '../builder.ts';
import { symbol } from '../dim.ts';
import { type Graph, indexOf, type Node } from '../graph.ts';
import { tensorOf } from '../tensor.ts';
import { retyped, throughout } from './bodies.ts';
import type { Pass } from './pass.ts';

/** The input of Dropout that says whether it drops. */
const TRAINING_MODE = 2;

const still = (node: Node, isRead: (output: Node['outputs'][number]) => boolean): Node => {
  if (node.domain !== '') return node;
  if (node.op === 'Dropout' && node.inputs[TRAINING_MODE] != null) {
    return { ...node, inputs: node.inputs.slice(0, TRAINING_MODE) };
  }
  const more = node.outputs.slice(1);
  const mode = node.attrs.training_mode;
  const trains = (mode?.kind === 'int' && mode.value === 1) || more.length > 0;
  if (node.op !== 'BatchNormalization' || !trains || more.some(isRead)) return node;
  const { training_mode: _, ...attrs } = node.attrs;
  return { ...node, outputs: node.outputs.slice(0, 1), attrs };
};

const stilled = (graph: Graph): Graph => {
  const { users } = indexOf(graph);
  const nodes = graph.nodes.map((node) => still(node, (name) => users.has(name) || graph.outputs.includes(name)));
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes };
};

const dropping = (trains: number | undefined): Graph => {
  const builder = new GraphBuilder('dropping');
  const x = builder.input('x', 'float32', [symbol('batch'), 3]);
  const mode = trains === undefined ? [] : [builder.constant(tensorOf('bool', [], Uint8Array.of(trains)))];
  const dropped = builder.op('Dropout', [x, builder.scalar('float32', 0), ...mode]);
  return builder.freeze([builder.op('Neg', [dropped], {}, 'y')]);
};

/** Nodes that were exported as they train do what they do once training is over: nothing is dropped, means are those learned. */
export const inferenceMode: Pass = {
  name: 'inference mode',
  run: (graph) => {
    const quiet = throughout(graph, stilled);
    return quiet === graph ? graph : retyped(quiet);
  },
  changes: [{ name: 'Dropout that trains, and drops none', graph: () => dropping(1) }],
  leaves: [{ name: 'Dropout that never trains', graph: () => dropping(undefined) }],
};
