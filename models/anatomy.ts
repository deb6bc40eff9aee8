import type { Graph, Value } from '../graph/graph.ts';
import { type LayerSpan, layerSpansOf } from './anatomy/layers.ts';
import { embeddingOf, headsOf, hiddenOf, neuronsOf, nothingFollowed, type Part, tokenTable } from './anatomy/parts.ts';

export { bypassLayer } from './anatomy/bypass.ts';
export type { Part, PartKind } from './anatomy/parts.ts';

/** One layer of a Transformer: its blocks, and the units inside it that can be removed. */
export interface Layer extends LayerSpan {
  readonly heads: readonly Part[];
  readonly ffn: readonly Part[];
  /** Width of the residual stream before and after the layer. A layer that changes it cannot be bypassed. */
  readonly inputWidth: number;
  readonly outputWidth: number;
}

/** What a graph is made of, found by cutting it: no architecture is known beforehand. */
export interface Anatomy {
  readonly layers: readonly Layer[];
  /** Widths of the residual stream: one, or several where a layer projects it. */
  readonly hidden: readonly Part[];
  /** The width of the token embeddings where it is not part of `hidden`. */
  readonly embedding?: Part;
  /** The table that token ids look up: (vocabulary, embedding width). */
  readonly table?: Value;
  readonly vocabulary?: number;
  readonly embeddingWidth?: number;
}

const widthOf = (graph: Graph, value: Value): number => {
  const dim = graph.types.get(value)?.shape?.at(-1);
  return typeof dim === 'number' ? dim : 0;
};

/** The layers one after another: what an earlier one has is no part of a later one that shares its weights. */
const layersOf = (graph: Graph): readonly Layer[] => {
  const spans = layerSpansOf(graph);
  const followed = nothingFollowed();
  return spans.map((span) => {
    const heads = headsOf(graph, span, spans, followed);
    const ffn = neuronsOf(graph, span, spans, followed);
    const [inputWidth, outputWidth] = [widthOf(graph, span.input), widthOf(graph, span.output)];
    return { ...span, heads, ffn, inputWidth, outputWidth };
  });
};

/**
 * Layers, heads, feed-forward neurons, residual and embedding widths of an unfused graph. Heads are found through the
 * Softmax of attention, neurons and widths through the weights that a cut couples.
 */
export const anatomyOf = (graph: Graph): Anatomy => {
  const layers = layersOf(graph);
  const hidden = hiddenOf(graph, layers);
  const table = tokenTable(graph);
  if (table === undefined) return { layers, hidden };
  const [vocabulary = 0, embeddingWidth = 0] = graph.weights.get(table)?.dims ?? [];
  const embedding = embeddingOf(graph, table, hidden);
  return { layers, hidden, table, vocabulary, embeddingWidth, ...(embedding === undefined ? {} : { embedding }) };
};

/** Every part that has units, in the order of the stream. */
export const partsOf = (anatomy: Anatomy): readonly Part[] => [
  ...(anatomy.embedding === undefined ? [] : [anatomy.embedding]),
  ...anatomy.hidden,
  ...anatomy.layers.flatMap((layer) => [...layer.heads, ...layer.ffn]),
];
