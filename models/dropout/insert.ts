import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Node, Value } from '../../graph/graph.ts';
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
  const drop = (value: Value): void => {
    const ratio = ratios.get(value);
    if (ratio !== undefined) dropped.set(value, builder.op('Dropout', [value, builder.scalar('float32', ratio)]));
  };
  const reading = (node: Node): Node => ({
    ...node,
    inputs: node.inputs.map((input) => (input === null ? null : (dropped.get(input) ?? input))),
  });
  for (const weight of graph.weights.keys()) drop(weight);
  for (const node of graph.nodes) {
    builder.add(reading(node), (output) => graph.types.get(output));
    for (const output of node.outputs) drop(output);
  }
  return builder.freeze(graph.outputs);
};
