import { type Attention, attentionsOf, isFusedAttention, type Operands, operandsOf } from '../../graph/attention.ts';
import { quotientIn, termsOf } from '../../graph/dim.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { Model } from '../model.ts';
import { hiddenStatesOf } from './hidden-states.ts';
import { type LayerSpan, layerSpansOf, nodesOf } from './layers.ts';

/** Attention of a layer as losses read it: every operand with axes for heads. */
export interface AttentionPlace extends Operands {
  readonly heads: number;
  /** What the softmax reads, (batch, heads, queries, keys). */
  readonly scores: Value;
}

/** Where a layer can be looked into. */
export interface LayerPlace {
  readonly hidden: Value;
  /** Or why there is none to look at. */
  readonly attention: AttentionPlace | string;
}

/** The points of a model's graph that losses read. */
export interface Taps {
  /** What the first layer reads. */
  readonly embeddings: Value | undefined;
  readonly layers: readonly LayerPlace[];
}

const isQuotient = (symbol: string): boolean => quotientIn(symbol) !== undefined;

const rankOf = (graph: Graph, value: Value): number | undefined => graph.types.get(value)?.shape?.length;

/** Whether scores are of blocks or means, which are no maps of a text's positions: more rows than texts, or other keys than positions. */
const isOfBlocks = (graph: Graph, { scores }: Attention): boolean => {
  const [batch = 0, , queries, keys] = graph.types.get(scores)?.shape ?? [];
  const quotients = [batch, keys ?? 0].some((dim) => termsOf(dim).some(({ symbols }) => symbols.some(isQuotient)));
  return quotients || (typeof keys === 'number' && typeof queries !== 'number');
};

/** An attention of which everything has an axis of heads. */
const placeOf = (graph: Graph, attention: Attention): AttentionPlace | string => {
  if (isOfBlocks(graph, attention)) return 'its attention is of blocks or means, which are no maps of a whole text';
  const operands = operandsOf(graph, attention);
  const { scores, heads } = attention;
  const all = operands === undefined ? [] : [operands.queries, operands.keys, operands.values];
  const whole = all.length > 0 && all.every(({ value }) => rankOf(graph, value) === 4);
  if (operands !== undefined && heads !== undefined && whole) return { ...operands, scores, heads };
  return 'its attention has no axis of heads';
};

/** The first attention of a layer: that to its own stream. */
const attentionIn = (graph: Graph, span: LayerSpan): AttentionPlace | string => {
  const nodes = new Set(nodesOf(span));
  const own = attentionsOf(graph).find(({ softmax }) => nodes.has(softmax));
  if (own !== undefined) return placeOf(graph, own);
  return [...nodes].some(isFusedAttention)
    ? 'its attention is fused into one operator, which puts out no maps'
    : 'it has no softmax over scores of queries and keys';
};

/** The points of a graph whose layers put out these hidden states. */
export const tapsIn = (graph: Graph, states: readonly Value[]): Taps => {
  const spans = layerSpansOf(graph);
  const attentionOf = (i: number): AttentionPlace | string => {
    const span = spans.length === states.length ? spans[i] : undefined;
    return span === undefined ? 'which nodes belong to it is not known' : attentionIn(graph, span);
  };
  return {
    embeddings: spans[0]?.input,
    layers: states.map((hidden, i) => ({ hidden, attention: attentionOf(i) })),
  };
};

/** Finds them by what the graph shows; hidden states as its maker said them, where that is said. */
export const tapsOf = (model: Model): Taps => tapsIn(model.graph, hiddenStatesOf(model));
