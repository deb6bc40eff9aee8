import { attentionsOf, operandsOf } from '../graph/attention.ts';
import { type Graph, indexOf, type Value } from '../graph/graph.ts';

/** Where the keys and values of an attention are what a decoder has to remember: (batch, heads, sequence, width). */
export interface AttentionPlace {
  readonly key: Value;
  readonly value: Value;
  /** Heads of keys and values. */
  readonly heads: number;
  readonly width: number;
}

/** What hands values on without computing anything of them. */
const handsOn: ReadonlySet<string> = new Set(['Transpose', 'Reshape', 'Expand', 'Unsqueeze', 'Identity']);

const sizesAt = (graph: Graph, at: Value): readonly [number, number] | undefined => {
  const { shape } = graph.types.get(at) ?? {};
  if (shape?.length !== 4) return undefined;
  const [, heads, length, width] = shape;
  return typeof heads === 'number' && typeof width === 'number' && typeof length === 'string'
    ? [heads, width]
    : undefined;
};

interface Found {
  readonly at: Value;
  readonly heads: number;
  readonly width: number;
}

/** The earliest value on the way to a product that is laid out as (batch, heads, sequence, width): before heads share it. */
const earliest = (graph: Graph, from: Value, heads: number): Found | undefined => {
  const { producer } = indexOf(graph);
  let found: Found | undefined;
  for (let at: Value | undefined = from; at !== undefined; ) {
    const sizes = sizesAt(graph, at);
    if (sizes !== undefined && heads % sizes[0] === 0) found = { at, heads: sizes[0], width: sizes[1] };
    const node = producer.get(at);
    at = node === undefined || !handsOn.has(node.op) ? undefined : (node.inputs[0] ?? undefined);
  }
  return found;
};

/** The places of every attention of a decoder, in the order of its layers; none of an attention that hides them. */
export const statesIn = (graph: Graph): readonly AttentionPlace[] =>
  attentionsOf(graph).flatMap((attention) => {
    const operands = operandsOf(graph, attention);
    const { heads = 0 } = attention;
    const [key, value] = [operands?.keys, operands?.values].map((operand) =>
      operand === undefined ? undefined : earliest(graph, operand.value, heads),
    );
    return key === undefined || value === undefined
      ? []
      : [{ key: key.at, value: value.at, heads: key.heads, width: key.width }];
  });
