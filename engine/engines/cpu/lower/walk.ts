import { GraphBuilder } from '../../../../graph/builder.ts';
import type { Shape } from '../../../../graph/dim.ts';
import { type Graph, indexOf, type Node, type Value } from '../../../../graph/graph.ts';

/** Where a rule of this folder stands: at a node of the old graph, with the new graph as far as it is written. */
export interface Place {
  readonly graph: Graph;
  readonly builder: GraphBuilder;
  readonly node: Node;
  /** The name that consumers of the node's first output know. */
  readonly output: Value;
}

/** Emits what stands for the node, under the name of its first output, and says so; or leaves the node as it is. */
export type Lowering = (place: Place) => boolean;

/** The graph with every node that a rule has other words for in those words. What nobody reads any more is left out. */
export const walk = (graph: Graph, lowering: Lowering): Graph => {
  const builder = GraphBuilder.like(graph, { opsets: { 'com.microsoft': 1, ...graph.opsets } });
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const place = output === undefined ? undefined : { graph, builder, node, output };
    const isLowered = place !== undefined && builder.within(`${output}`, () => lowering(place));
    if (!isLowered) builder.add(node, (name) => graph.types.get(name));
  }
  return builder.freeze(graph.outputs);
};

export const isOf = (node: Node, op: string, domain = ''): boolean => node.op === op && node.domain === domain;

/** The node of this operator that computes a value. */
export const madeBy = (
  { graph }: Pick<Place, 'graph'>,
  value: Value | null | undefined,
  op: string,
): Node | undefined => {
  const node = value == null ? undefined : indexOf(graph).producer.get(value);
  return node !== undefined && isOf(node, op) ? node : undefined;
};

/** Whether one node alone reads a value, so that it goes when that node does. */
export const isReadOnce = ({ graph }: Pick<Place, 'graph'>, value: Value): boolean =>
  indexOf(graph).users.get(value)?.length === 1 && !graph.outputs.includes(value);

/** The shape of a value of float32 whose rank is known. */
export const floatShape = ({ builder }: Pick<Place, 'builder'>, value: Value): Shape | undefined => {
  if (!builder.hasType(value)) return undefined;
  const { dtype, shape } = builder.type(value);
  return dtype === 'float32' ? shape : undefined;
};
