import { thresholdOf } from '../data/sets.ts';
import { applyCuts, type CutGroup, followCut, isRefusal } from '../graph/cut/index.ts';
import { sliceTensor } from '../graph/cut/slice.ts';
import { type Graph, type Node, readsOf, type Value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';
import type { Model, Processor } from './model.ts';
import { answerName } from './signature.ts';

/** Normalizing over classes changes none of their order, and is over those that are left where some go. */
const normalizing: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax']);

/** What an output is computed from, with the numbers that normalize over classes passed on as they are. */
const unnormalized = (graph: Graph, output: Value): Graph => {
  const needed = new Set<Value>([output]);
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((made) => needed.has(made))) continue;
    for (const input of readsOf(node)) needed.add(input);
    nodes.push(normalizing.has(node.op) && node.domain === '' ? { ...node, op: 'Identity', attrs: {} } : node);
  }
  return { ...graph, nodes: nodes.reverse(), outputs: [output] };
};

/**
 * Everything that counts the classes, found as a cut is: wherever the classes of the output come from, each place has to list
 * them all, one an index and in their order, or they cannot change it.
 */
const classAxes = (graph: Graph, output: Value, classes: number): CutGroup => {
  const group = followCut(unnormalized(graph, output), { value: output, axis: -1 });
  if (isRefusal(group)) throw modelError(`the classes of '${output}' cannot be put in another order: ${group.refused}`);
  const odd = group.axes.find(({ owner }) => owner.length !== classes || owner.some((unit, i) => unit !== i));
  if (odd !== undefined) {
    throw modelError(
      `the classes of '${output}' cannot be put in another order: axis ${odd.axis} of '${odd.value}' does not list all ${classes}, one an index`,
    );
  }
  if (group.weights.length === 0) {
    throw modelError(`'${output}' is no product with a weight: its classes cannot be put in order`);
  }
  return group;
};

/** The weights that count the classes, with them in another order. */
const reordered = (graph: Graph, { weights: axes }: CutGroup, order: readonly number[]): Graph => {
  const weights = new Map(graph.weights);
  for (const { value: name, axis } of axes) {
    const tensor = weights.get(name);
    if (tensor === undefined) continue;
    const kept = tensor.dims.map((_, at) => (at === axis ? Int32Array.from(order) : undefined));
    weights.set(name, sliceTensor(tensor, kept));
  }
  return { ...graph, weights };
};

/** What is made of classes, with them in another order. */
const inOrder = ({ thresholds, ...processor }: Processor, order: readonly number[]): Processor =>
  thresholds === undefined
    ? processor
    : { ...processor, thresholds: order.map((from) => thresholdOf(thresholds, from)) };

/** The classifier with the classes of the data, in its order; what belongs to other classes alone is left out. */
export const alignLabels = (model: Model, labels: readonly string[]): Model => {
  const { info } = model;
  const order = labels.map((label) => info.labels.indexOf(label));
  if (order.length === info.labels.length && order.every((from, to) => from === to)) return model;
  const group = classAxes(model.graph, answerName(info.signature), info.labels.length);
  const kept = order.toSorted((a, b) => a - b);
  const graph = kept.length === info.labels.length ? model.graph : applyCuts(model.graph, [group], [kept]);
  const places = order.map((label) => kept.indexOf(label));
  return {
    ...model,
    graph: reordered(graph, group, places),
    info: { ...info, labels: [...labels], processor: inOrder(info.processor, order) },
  };
};
