import type { CutGroup } from '../../graph/cut/index.ts';
import { type Graph, indexOf, type Value } from '../../graph/graph.ts';

/** An activation axis whose indices belong to units: multiplying it by a mask of zeros and ones removes units. */
export interface Gate {
  readonly value: Value;
  readonly axis: number;
  readonly owner: Int32Array;
}

/**
 * Where a group is read for the last time: activations that meet coupled weights at a node none of whose outputs
 * carries the group on. All that a unit does to the rest of the model passes through these.
 */
export const gatesOf = (graph: Graph, group: CutGroup): readonly Gate[] => {
  const { users } = indexOf(graph);
  const touched = new Set(group.axes.map(({ value }) => value));
  const readers = group.weights
    .flatMap(({ value }) => users.get(value) ?? [])
    .filter((node) => !node.outputs.some((output) => touched.has(output)));
  const read = new Set(readers.flatMap((node) => node.inputs));
  return group.axes.filter(({ value }) => read.has(value) && !graph.weights.has(value));
};
