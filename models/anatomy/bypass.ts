import { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';

/** The residual stream before and after a layer. */
export interface Span {
  readonly index: number;
  readonly input: Value;
  readonly output: Value;
}

const shapeText = (graph: Graph, value: Value): string => `[${graph.types.get(value)?.shape?.join(', ') ?? '?'}]`;

/**
 * The graph without a layer: whoever read the layer's output reads its input instead, and what only the layer needed
 * falls away. Fails where the layer, as a view of the graph shows it, changes the width of the stream.
 */
export const bypassLayer = (graph: Graph, layer: Span, view: Graph = graph): Graph => {
  const { input, output } = layer;
  if (shapeText(view, input) !== shapeText(view, output)) {
    throw modelError(
      `layer ${layer.index} turns ${shapeText(view, input)} into ${shapeText(view, output)}, so nothing can stand in for it`,
    );
  }
  const producer = indexOf(graph).producer.get(output);
  const isResult = graph.outputs.includes(output);
  const around = (node: Node): Node => ({
    ...node,
    inputs: node.inputs.map((value) => (value === output ? input : value)),
  });
  const passOn: Node = {
    op: 'Identity',
    domain: '',
    name: `${output}/bypass`,
    inputs: [input],
    outputs: [output],
    attrs: {},
  };
  const builder = GraphBuilder.like(graph);
  for (const node of graph.nodes) {
    const next = node !== producer ? around(node) : isResult ? passOn : undefined;
    if (next !== undefined) builder.add(next, (v) => graph.types.get(v));
  }
  return builder.freeze(graph.outputs);
};
