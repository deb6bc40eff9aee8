import type { TrainRequest, WeightHook } from '../../engine/train-request.ts';
import type { Value } from '../../graph/graph.ts';
import { value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import type { Model } from '../../models/model.ts';
import { looksSparse, sparseIn, withoutSparse, zerosIn } from '../../models/sparse.ts';
import type { TrainingConfig } from './options.ts';

type Asked = Pick<TrainingConfig, 'holdZeros'>;

/** Weights of a model whose zeros stay: those that pruning named, and where it is asked for those that look like it. */
const held = (model: Model, { holdZeros }: Asked): readonly Value[] => {
  if (holdZeros === undefined) return sparseIn(model);
  if (!holdZeros) return [];
  const { graph } = model;
  const found = parameterNames(graph).filter((name) => {
    const tensor = graph.weights.get(name);
    return tensor !== undefined && looksSparse(tensor);
  });
  return [...new Set([...sparseIn(model), ...found])];
};

const nothing: WeightHook = { sees: [], wants: () => false, afterUpdate: () => undefined };

/** What is trained, and what watches its weights: zeros that pruning made stay zeros, beside what a hook does of its own. */
export const withZerosHeld = (
  model: Model,
  config: Asked,
  hook: WeightHook | undefined,
): Pick<TrainRequest, 'model' | 'hook'> => {
  const names = held(model, config);
  const trained = config.holdZeros === false ? withoutSparse(model) : model;
  if (names.length === 0) return { model: trained, hook };
  return { model: trained, hook: { ...(hook ?? nothing), holds: [...new Set([...(hook?.holds ?? []), ...names])] } };
};

/** Zeros that a training began with and leaves as they are, for the report. */
export const heldZeros = ({ model, hook }: Pick<TrainRequest, 'model' | 'hook'>): { readonly heldZeros?: number } => {
  const tensors = (hook?.holds ?? []).flatMap((name) => model.graph.weights.get(value(name)) ?? []);
  const zeros = tensors.reduce((sum, tensor) => sum + zerosIn(tensor), 0);
  return zeros === 0 ? {} : { heldZeros: zeros };
};
