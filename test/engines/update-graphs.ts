import { stream } from '../../data/random.ts';
import { defaultAdamW } from '../../engine/adamw.ts';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { AGAIN, emitMove, emitSums, emitUpdate, sumOf, type Table } from '../../engine/optimizer/emit.ts';
import { maskOf, momentsOf, scalarFeeds, type UpdateSettings } from '../../engine/optimizer/emit-adamw.ts';
import { rowFeeds } from '../../engine/optimizer/row-sums.ts';
import { slabsOf } from '../../engine/optimizer/slabs.ts';
import type { TrainingStep } from '../../engine/step.ts';
import type { Graph } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';

import { caseOf, fedTo, normals, settings, stepOf, type WholeGraph } from './cases.ts';

/** What an update is fed beside its step: moments, rates, masks of pruning, and which rows of tables add up. */
const updateFeeds = (graph: Graph, { parameters }: TrainingStep, tables: readonly Table[], fed: Feeds): Feeds => {
  const feeds: Record<string, HostTensor> = { [AGAIN]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) } };
  for (const { name, dims } of parameters) {
    const drawn = (purpose: string): Float32Array => normals(stream(8, purpose), elementCount(dims));
    const put = (input: string, data: Float32Array): void => {
      feeds[input] = { dtype: 'float32', dims, data };
    };
    put(
      maskOf(name),
      drawn('mask').map((x) => Number(x > 0)),
    );
    put(sumOf(name), drawn('sum'));
    if (fed[name] === undefined) put(name, drawn(name));
  }
  for (const slab of slabsOf(parameters, optimizer)) {
    const { first, second } = momentsOf(slab);
    const drawn = (purpose: string): Float32Array => normals(stream(8, purpose), elementCount(slab.dims));
    feeds[first] = { dtype: 'float32', dims: slab.dims, data: drawn(first) };
    feeds[second] = { dtype: 'float32', dims: slab.dims, data: drawn(second).map(Math.abs) };
  }
  for (const { inputs, ids, height } of tables) {
    const all = ids.flatMap((name) => Array.from(fed[name]?.data ?? [0, 1, 2], Number));
    Object.assign(feeds, rowFeeds(inputs, Int32Array.from(all), height));
  }
  const all = { ...feeds, ...scalarFeeds(new Set(graph.inputs), optimizer, { rate: 0.01, step: 3 }), ...fed };
  return fedTo(graph, all);
};

const optimizer: UpdateSettings = {
  ...{ ...defaultAdamW, weightDecay: 0.1, clip: 0.5, factors: new Map() },
  held: new Set(['classifier.weight']),
};

/** Everything that moves weights on a device. */
export const updates: readonly WholeGraph[] = (['update', 'sums', 'move'] as const).map((part) => ({
  ...{ name: `an update of text-classification: ${part}`, kind: 'step' },
  make: async () => {
    const one = caseOf('text-classification');
    const { step, feeds } = stepOf(one, one.task.targetLosses(settings), 0.2);
    if (part === 'move') {
      const { graph } = emitMove(step.parameters, optimizer);
      return { graph, feeds: updateFeeds(graph, step, [], feeds) };
    }
    const { graph, tables } = part === 'update' ? emitUpdate(step, optimizer) : emitSums(step);
    return { graph, feeds: updateFeeds(graph, step, tables, feeds) };
  },
}));
