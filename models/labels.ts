import { type Graph, indexOf, type Value } from '../graph/graph.ts';
import { float32Of, type Tensor, tensorOf } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';
import type { Model } from './model.ts';
import { answerName } from './signature.ts';

/** Some columns of a vector (classes) or matrix (in, classes), in the order given. */
const chosenColumns = (tensor: Tensor, order: readonly number[]): Tensor => {
  const source = float32Of(tensor);
  const { dims } = tensor;
  const before = dims.at(-1) ?? 1;
  const after = order.length;
  const target = Float32Array.from({ length: (source.length / before) * after }, (_, i) => {
    const column = i % after;
    return source[((i - column) / after) * before + (order[column] ?? 0)] ?? 0;
  });
  return tensorOf('float32', [...dims.slice(0, -1), after], target);
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

/** Names that the data writes in another case. */
const otherCase = (model: readonly string[], data: readonly string[]): string => {
  const lower = new Map(model.map((label) => [label.toLowerCase(), label]));
  const pairs = data.flatMap((label) => {
    const other = lower.get(label.toLowerCase());
    return other === undefined || model.includes(label) ? [] : [`'${other}' there is '${label}' here`];
  });
  return pairs.length === 0 ? '' : `names differ in case alone (${pairs.slice(0, 3).join(', ')}); `;
};

/** Why a classifier's labels cannot be those of the data; undefined where it knows each of them by one name. */
export const labelProblem = (model: readonly string[], data: readonly string[]): string | undefined => {
  const unique = new Set(model).size === model.length;
  if (unique && data.every((label) => model.includes(label))) return undefined;
  return (
    `the checkpoint classifies into ${model.length} labels (${listed(model)}), the data has ${data.length} (${listed(data)}): ` +
    `${otherCase(model, data)}write the data's names into id2label of config.json if they mean the same, or put a new head on it with 'head: new'`
  );
};

/** What becomes of labels that the data does not have; undefined where there is none. */
export const labelRemark = (model: readonly string[], data: readonly string[]): string | undefined => {
  const more = model.filter((label) => !data.includes(label));
  return more.length === 0
    ? undefined
    : `the checkpoint also classifies into ${listed(more)}, which the data does not have: it chooses among the data's ${data.length} classes alone`;
};

/** The classifier with the classes of the data, in its order; columns of other classes are left out. */
export const alignLabels = (model: Model, labels: readonly string[]): Model => {
  const { graph, info } = model;
  const order = labels.map((label) => info.labels.indexOf(label));
  if (order.length === info.labels.length && order.every((from, to) => from === to)) return model;
  const weights = new Map(graph.weights);
  const output = answerName(info.signature);
  const columns = classWeights(graph, output);
  if (columns.length === 0)
    throw modelError(`'${output}' is no product with a weight: its classes cannot be put in order`);
  for (const name of columns) {
    const tensor = weights.get(name);
    if (tensor !== undefined) weights.set(name, chosenColumns(tensor, order));
  }
  return { ...model, graph: { ...graph, weights }, info: { ...info, labels: [...labels] } };
};
