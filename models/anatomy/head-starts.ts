import { type Attention, attentionsOf, HEADS_AXIS } from '../../graph/attention.ts';
import type { CutStart } from '../../graph/cut/follow.ts';
import { type Graph, indexOf, type Value } from '../../graph/graph.ts';
import type { LayerSpan } from './layers.ts';

const shapeOf = (graph: Graph, value: Value) => graph.types.get(value)?.shape ?? [];

/**
 * Where heads have an axis of their own before they are joined with the batch: (batch, heads, length, width) that becomes
 * (batch x heads, length, width).
 */
const beforeJoining = (graph: Graph, from: Value | null | undefined): Value | undefined => {
  for (let at = from ?? undefined; at !== undefined; ) {
    const node = indexOf(graph).producer.get(at);
    const [input] = node?.inputs ?? [];
    if (node === undefined || input == null) return undefined;
    const [before, after] = [shapeOf(graph, input), shapeOf(graph, at)];
    const joins = before.length === 4 && after.length === 3 && before.slice(2).join() === after.slice(1).join();
    if (node.op === 'Reshape' && joins) return input;
    if (after.length !== 3) return undefined;
    at = input;
  }
  return undefined;
};

/** The axis of heads of scores; of scores (batch x heads, queries, keys) that of the queries before. */
const startOf = (graph: Graph, { scores, heads, product }: Attention): CutStart | undefined => {
  if (heads !== undefined) return { value: scores, axis: shapeOf(graph, scores).length + HEADS_AXIS };
  const apart = product.inputs.map((input) => beforeJoining(graph, input)).find((value) => value !== undefined);
  return apart === undefined || typeof shapeOf(graph, apart)[1] !== 'number' ? undefined : { value: apart, axis: 1 };
};

/** Where to begin cutting the heads of one attention. */
export interface HeadStart extends CutStart {
  readonly attention: Attention;
  /** Whether it asks another stream than its own. */
  readonly cross: boolean;
}

/** Where to begin cutting heads, once an attention of a layer. */
export const headStartsIn = (graph: Graph, { blocks }: LayerSpan): readonly HeadStart[] =>
  attentionsOf(graph).flatMap((attention) => {
    const own = blocks.filter(({ nodes }) => nodes.has(attention.softmax));
    const start = own.length === 0 ? undefined : startOf(graph, attention);
    return start === undefined
      ? []
      : [{ ...start, attention, cross: own.some(({ kind }) => kind === 'cross-attention') }];
  });
