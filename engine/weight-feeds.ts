import type { Graph } from '../graph/graph.ts';
import type { Model } from '../models/model.ts';
import type { Feeds, HostTensor } from './engine.ts';
import { hostTensorOf } from './host.ts';
import type { Trained } from './training-state.ts';

/** A trained weight as it is fed. */
export const fedOf = ({ dims, data }: Pick<Trained, 'dims' | 'data'>): HostTensor => ({ dtype: 'float32', dims, data });

/** Weights for the inputs of a graph: trained ones from their arrays, others as the model has them. */
export const weightFeeds = (graph: Graph, model: Pick<Model, 'graph'>, trained: readonly Trained[]): Feeds => {
  const arrays = new Map(trained.map((one) => [one.name, one]));
  const feeds: Record<string, HostTensor> = {};
  for (const input of graph.inputs) {
    const moving = arrays.get(input);
    const fixed = model.graph.weights.get(input);
    if (moving !== undefined) feeds[input] = fedOf(moving);
    else if (fixed !== undefined) feeds[input] = hostTensorOf(fixed);
  }
  return feeds;
};
