import type { Value } from '../graph/graph.ts';
import { elementCount, floatPiecesOf, type Tensor } from '../graph/tensor.ts';
import type { Model } from './model.ts';

/** Share of zeros from which on they were made on purpose. */
const SPARSE = 0.01;

/** How many elements are exactly 0. */
export const zerosIn = (tensor: Tensor): number => {
  let zeros = 0;
  for (const piece of floatPiecesOf(tensor)) for (const w of piece) zeros += Number(w === 0);
  return zeros;
};

/** Whether so much of a matrix is zero that somebody made it so, but not all of it: that is a matrix before its training. */
export const looksSparse = (tensor: Tensor): boolean => {
  const [elements, zeros] = [elementCount(tensor.dims), tensor.dims.length < 2 ? 0 : zerosIn(tensor)];
  return zeros >= SPARSE * elements && zeros > 0 && zeros < elements;
};

/** Weights that pruning made zeros of, as far as they are still there. */
export const sparseIn = ({ graph, info }: Pick<Model, 'graph' | 'info'>): readonly Value[] =>
  (info.sparse ?? []).filter((name) => graph.weights.has(name));

/** The model with further weights whose zeros are to stay. */
export const withSparse = (model: Model, names: readonly Value[]): Model => {
  const sparse = [...new Set([...sparseIn(model), ...names])];
  return sparse.length === 0 ? withoutSparse(model) : { ...model, info: { ...model.info, sparse } };
};

/** The model as one whose zeros are numbers like all others. */
export const withoutSparse = (model: Model): Model => {
  const { sparse: _, ...info } = model.info;
  return { ...model, info };
};
