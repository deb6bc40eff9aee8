import { isDeepStrictEqual } from 'node:util';
import { GraphBuilder } from '../graph/builder.ts';
import { type Shape, symbol } from '../graph/dim.ts';
import { type Graph, indexOf, type Node, opsetOf, readingAs, type Value, value } from '../graph/graph.ts';
import { findOp } from '../graph/ops/index.ts';
import { sitesAt } from '../graph/sites.ts';
import { hiddenStatesOf } from './anatomy/hidden-states.ts';
import type { Model } from './model.ts';
import { answering, answerPort, type Port, type Signature } from './signature.ts';

const shapeOf = (graph: Graph, value: Value): Shape | undefined => graph.types.get(value)?.shape;

/** Whether an operand beside the rows has as many axes as it may have: a number or vector, or the matrix of a product. */
const isBesideRows = (graph: Graph, operand: Value, axes: number): boolean =>
  shapeOf(graph, operand)
    ?.slice(0, -axes)
    .every((dim) => dim === 1) === true;

/** Values that are computed from an input, not of weights alone. */
const streamOf = ({ inputs, nodes }: Graph): ReadonlySet<Value> => {
  const stream = new Set<Value>(inputs);
  for (const { inputs: read, outputs } of nodes) {
    if (read.some((input) => input !== null && stream.has(input))) for (const output of outputs) stream.add(output);
  }
  return stream;
};

const isLastAxis = ({ attrs: { axis } }: Node): boolean =>
  axis === undefined || (axis.kind === 'int' && axis.value === -1);

/** Whether a node makes each element of what stands at the same place alone. */
const isElementwise = (graph: Graph, node: Node, x: Value): boolean => {
  const record = findOp(node.domain, node.op, opsetOf(graph.opsets, node.domain));
  const [output] = node.outputs;
  if (record === undefined || record.mixes === true || output === undefined) return false;
  return isDeepStrictEqual(shapeOf(graph, x), shapeOf(graph, output));
};

/** How many axes an operand may have where a node gives each row for the same row of x; undefined where rows meet. */
const axesBeside = (graph: Graph, node: Node, x: Value): number | undefined => {
  const kinds = sitesAt(graph, node).map(({ use }) => use.kind);
  if (kinds.includes('linear')) return node.inputs[0] === x ? 2 : undefined;
  if (kinds.includes('norm')) return isLastAxis(node) ? 1 : undefined;
  return isElementwise(graph, node, x) ? 1 : undefined;
};

/** The one value of the stream that a node reads row by row; undefined where there is another, or rows meet each other. */
const readBy = (graph: Graph, node: Node, stream: ReadonlySet<Value>): Value | undefined => {
  const inputs = node.inputs.filter((input) => input !== null);
  const [x, another] = inputs.filter((input) => stream.has(input));
  const axes = x === undefined || another !== undefined ? undefined : axesBeside(graph, node, x);
  if (x === undefined || axes === undefined) return undefined;
  return inputs.every((input) => input === x || isBesideRows(graph, input, axes)) ? x : undefined;
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
    const { inputs } = readingAs(node, (input) => names.get(input) ?? input);
    const outputs = node.outputs.map((made) => {
      const named = value(`${made}/places`);
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
