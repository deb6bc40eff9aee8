import { type Graph, indexOf, type Value, value } from '../graph/graph.ts';
import { float32Of, type Tensor, tensorOf } from '../graph/tensor.ts';
import { ModelError } from '../ground/errors.ts';
import type { Model } from './model.ts';

/** Columns of a vector (classes) or matrix (in, classes) in another order. */
const reordered = (tensor: Tensor, order: readonly number[]): Tensor => {
  const source = float32Of(tensor);
  const classes = order.length;
  const target = Float32Array.from(source, (_, i) => {
    const column = i % classes;
    return source[i - column + (order[column] ?? 0)] ?? 0;
  });
  return tensorOf('float32', tensor.dims, target);
};

/** The weights whose last axis counts the classes: matrix and bias of the last linear layer. */
const classWeights = (graph: Graph, output: Value): readonly Value[] => {
  const sum = indexOf(graph).producer.get(output);
  const product = sum?.inputs
    .map((input) => indexOf(graph).producer.get(input ?? output))
    .find((node) => node?.op === 'MatMul');
  const weights = [...(product?.inputs ?? []), ...(sum?.inputs ?? [])].filter((input) => input !== null);
  return weights.filter((input) => graph.weights.has(input));
};

const listed = (labels: readonly string[]): string =>
  labels.length <= 6 ? labels.join(', ') : `${labels.slice(0, 5).join(', ')} and ${labels.length - 5} more`;

/** Why a classifier's labels cannot be those of the data; undefined where they are the same names. */
export const labelProblem = (model: readonly string[], data: readonly string[]): string | undefined => {
  const wanted = new Set(data);
  const same = model.length === data.length && new Set(model).size === data.length;
  if (same && model.every((label) => wanted.has(label))) return undefined;
  return (
    `the checkpoint classifies into ${model.length} labels (${listed(model)}), the data has ${data.length} (${listed(data)}): ` +
    "write the data's names into id2label of config.json if they mean the same, or put a new head on it with 'head: new'"
  );
};

/** The classifier with its classes in the order of the data, whose names are the same. */
export const alignLabels = (model: Model, labels: readonly string[]): Model => {
  const { graph, info } = model;
  const order = labels.map((label) => info.labels.indexOf(label));
  if (order.every((from, to) => from === to)) return model;
  const weights = new Map(graph.weights);
  const columns = classWeights(graph, value(info.output));
  if (columns.length === 0)
    throw new ModelError(`'${info.output}' is no product with a weight: its classes cannot be put in order`);
  for (const name of columns) {
    const tensor = weights.get(name);
    if (tensor !== undefined) weights.set(name, reordered(tensor, order));
  }
  return { ...model, graph: { ...graph, weights }, info: { ...info, labels: [...labels] } };
};
