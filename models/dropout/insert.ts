import { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, readingAs, type Value } from '../../graph/graph.ts';
import type { DropoutPlace } from './places.ts';

/** A place, and the ratio at which it drops unless training is told another. */
export interface RatedPlace extends DropoutPlace {
  readonly ratio: number;
}

/**
 * The graph with Dropout behind each of some values, as inference computes it: outputs stay what they are, and whoever else read
 * such a value reads what is left of it.
 */
export const withDropoutAt = (graph: Graph, places: readonly RatedPlace[]): Graph => {
  const builder = GraphBuilder.like(graph);
  const ratios = new Map(places.map(({ value, ratio }) => [value, ratio]));
  const dropped = new Map<Value, Value>();
  // Behind what computes it; of a table, which nothing does, before the first node that reads it.
  const left = (value: Value): Value => {
    const ratio = ratios.get(value);
    if (ratio === undefined) return value;
    const known = dropped.get(value) ?? builder.op('Dropout', [value, builder.scalar('float32', ratio)]);
    dropped.set(value, known);
    return known;
  };
  for (const node of graph.nodes) {
    builder.add(readingAs(node, left), (output) => graph.types.get(output));
    for (const output of node.outputs) left(output);
  }
  return builder.freeze(graph.outputs);
};
