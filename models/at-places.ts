import { GraphBuilder } from '../graph/builder.ts';
import { type Dim, symbol } from '../graph/dim.ts';
import { type Graph, indexOf, type Node, type Value } from '../graph/graph.ts';
import { hiddenStatesOf } from './anatomy/hidden-states.ts';
import type { Model } from './model.ts';
import { answering, answerPort, type Port, type Signature } from './signature.ts';

/** Operators that make each row of their result of the same row of what they read, whatever stands in the others. */
const rowwise: ReadonlySet<string> = new Set(
  (
    'Add Sub Mul Div Pow Sqrt Neg Abs Exp Log Erf Tanh Sigmoid Relu LeakyRelu Elu Gelu HardSwish HardSigmoid Clip Max Min ' +
    'Identity Cast Dropout MatMul LayerNormalization SimplifiedLayerNormalization FastGelu QuickGelu BiasGelu'
  ).split(' '),
);

/** What an operand beside the rows may be: a number, a vector, or a matrix that rows are multiplied with. */
const isBesideRows = (graph: Graph, { op }: Node, operand: Value): boolean => {
  const shape = graph.types.get(operand)?.shape;
  if (shape === undefined) return false;
  const wide: readonly Dim[] = op === 'MatMul' ? shape.slice(-2) : shape.slice(-1);
  return shape.length === wide.length || shape.slice(0, -wide.length).every((dim) => dim === 1);
};

/** Values that are computed from an input, not of weights alone. */
const streamOf = ({ inputs, nodes }: Graph): ReadonlySet<Value> => {
  const stream = new Set<Value>(inputs);
  for (const { inputs: read, outputs } of nodes) {
    if (read.some((input) => input !== null && stream.has(input))) for (const output of outputs) stream.add(output);
  }
  return stream;
};

/** Norms over any but the last axis are over other positions, or count axes that are gone among rows. */
const isOverLast = ({ op, attrs }: Node): boolean =>
  !op.endsWith('LayerNormalization') ||
  attrs.axis === undefined ||
  (attrs.axis.kind === 'int' && attrs.axis.value === -1);

/** The one value of the stream that a node reads row by row; undefined where there is another, or rows meet each other. */
const readBy = (graph: Graph, node: Node, stream: ReadonlySet<Value>): Value | undefined => {
  if (!rowwise.has(node.op) || !isOverLast(node)) return undefined;
  const inputs = node.inputs.filter((input) => input !== null);
  const [x, another] = inputs.filter((input) => stream.has(input));
  if (x === undefined || another !== undefined || (node.op === 'MatMul' && node.inputs[0] !== x)) return undefined;
  return inputs.every((input) => input === x || isBesideRows(graph, node, input)) ? x : undefined;
};

interface LastRows {
  /** First to last. */
  readonly nodes: readonly Node[];
  /** What they begin with. */
  readonly from: Value;
}

/** Nodes at the end of a graph that answer about each position by itself, behind the last of the hidden states. */
const lastRows = (model: Model, output: Value): LastRows => {
  const { graph } = model;
  const { producer } = indexOf(graph);
  const stream = streamOf(graph);
  const states = new Set(hiddenStatesOf(model));
  const nodes: Node[] = [];
  let from = output;
  for (;;) {
    const node = states.has(from) ? undefined : producer.get(from);
    const x = node === undefined ? undefined : readBy(graph, node, stream);
    if (node === undefined || x === undefined) return { nodes: nodes.reverse(), from };
    nodes.push(node);
    from = x;
  }
};

const placesPort = (name: Value): Port<'places'> => ({ name, role: 'places', axes: ['answers'] });

const withPlaces = (signature: Signature, places: Value, output: Value): Signature => {
  const port: Port<'scores'> = { name: output, role: 'scores', axes: ['answers', 'width'] };
  const asked = answering(signature, port);
  return { ...asked, inputs: [...asked.inputs, placesPort(places)] };
};

/**
 * The model with answers at the places that are asked about alone, one after the other: of a text's tokens a few, and over a
 * vocabulary that is most of the work. What answers about all positions row by row is moved behind a Gather of rows; a model
 * without such an end stays as it is.
 */
export const atPlaces = (model: Model): Model => {
  const { graph, info } = model;
  const { name: output, axes } = answerPort(info.signature);
  const { nodes, from } = lastRows(model, output);
  const width = graph.types.get(from)?.shape?.at(-1);
  if (nodes.length === 0 || typeof width !== 'number' || !axes.includes('sequence')) return model;
  const builder = GraphBuilder.from(graph);
  const places = builder.input('places', 'int64', [symbol('answers')]);
  const rows = builder.op('Reshape', [from, builder.ints([-1, width])]); // (batch * sequence, width)
  const names = new Map<Value, Value>([[from, builder.op('Gather', [rows, places])]]); // (answers, width)
  for (const node of nodes) {
    const inputs = node.inputs.map((input) => (input === null ? null : (names.get(input) ?? input)));
    const outputs = node.outputs.map((made) => {
      const named = `${made}/places` as Value;
      names.set(made, named);
      return named;
    });
    builder.add({ ...node, name: `${node.name}/places`, inputs, outputs });
  }
  const answers = names.get(output) ?? output;
  return {
    ...model,
    graph: builder.freeze([answers]),
    info: { ...info, signature: withPlaces(info.signature, places, answers) },
  };
};
