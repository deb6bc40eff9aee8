import { stream } from '../../data/random.ts';
import { value } from '../../graph/graph.ts';
import { elementCount, tensorOf } from '../../graph/tensor.ts';
import type { Model } from '../../models/model.ts';

/** Large enough that most tokens have one clear successor. */
const DEVIATION = 0.5;

/** A model from random weights whose table of tokens, called so, makes answers differ from token to token. */
export const withTellingTable = (model: Model, name: string): Model => {
  const table = value(name);
  const dims = model.graph.weights.get(table)?.dims ?? [];
  const random = stream(7, 'table');
  const rows = Float32Array.from({ length: elementCount(dims) }, () => DEVIATION * random.normal());
  const weights = new Map(model.graph.weights).set(table, tensorOf('float32', dims, rows));
  return { ...model, graph: { ...model.graph, weights } };
};
