import { remembers } from '../../engine/decoding.ts';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { feedsFor, filledFeeds, symbolsFor } from '../../engine/feeds.ts';
import { someExample } from '../../engine/memory/training.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { Dim } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { modelTask } from '../../ground/tasks.ts';
import { withCache } from '../../models/cache.ts';
import { bindingsOf } from '../../models/inspect.ts';
import type { PassSize } from '../../models/inspection.ts';
import type { Model } from '../../models/model.ts';
import type { State } from '../../models/signature.ts';

/** What a pass reads: so many positions of each text behind so many that are remembered. */
export interface Reach extends PassSize {
  readonly past: number;
}

/** What the symbols of a graph are in a pass: by what its inputs are for where that is known, else by their axes. */
export const sizesOf = (
  graph: Graph,
  info: Model['info'] | undefined,
  { batch, length, past }: Reach,
): Readonly<Record<string, Dim>> => ({
  ...bindingsOf(graph, { batch, length }),
  ...(info === undefined ? {} : symbolsFor({ graph, info }, { batch, sequence: length, past, answers: batch })),
});

/** A decoder with what it remembers; undefined where a model writes nothing. */
export const writerOf = (model: Model): Model | undefined => {
  if (modelTask(model.info.task).reads !== 'before') return undefined;
  return remembers(model) ? model : withCache(model);
};

const dimsOf = ({ axes }: State, { batch, past }: Reach): readonly number[] =>
  axes.map((axis) => (typeof axis === 'number' ? axis : axis === 'batch' ? batch : past));

/** Bytes that a model remembers of so many positions of each text. */
export const rememberedBytes = ({ signature: { states } }: Model['info'], reach: Reach): number =>
  states.reduce((sum, state) => sum + 4 * dimsOf(state, reach).reduce((size, dim) => size * dim, 1), 0);

const zeros = (dims: readonly number[]): HostTensor => ({
  ...{ dtype: 'float32', dims, data: new Float32Array(dims.reduce((size, dim) => size * dim, 1)) },
});

/** A graph as it is deployed, and what a pass feeds it. */
export const readyToRun = (model: Model, reach: Reach): { readonly graph: Graph; readonly feeds: Feeds } => {
  const { graph, info } = model;
  const { batch, length, past } = reach;
  const some = (positions: number) => someExample({ model, task: taskOf(info.task) }, positions);
  const feeds: Record<string, HostTensor> = { ...filledFeeds(info, [some(length)], { batch, length }) };
  if (past > 0) {
    const rows = Int32Array.from({ length: batch }, (_, row) => row);
    const behind = Array.from({ length: batch }, () => some(past + length));
    const whole = feedsFor(info, behind, { rows, length: past + length });
    for (const { name, role } of info.signature.inputs)
      if (role === 'mask') Object.assign(feeds, { [name]: whole[name] });
    for (const state of info.signature.states) feeds[state.past] = zeros(dimsOf(state, reach));
  }
  return { graph: fuseForInference(graph), feeds };
};
