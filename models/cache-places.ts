import { attentionsOf, operandsOf } from '../graph/attention.ts';
import { type Graph, indexOf, type Node, type Value } from '../graph/graph.ts';

/** Where the keys and values of an attention are what a decoder has to remember. */
export interface AttentionPlace {
  /** Heads of keys and values, and the width of one. */
  readonly heads: number;
  readonly width: number;
  /** Where they are values of the graph: (batch, heads, sequence, width). */
  readonly values?: { readonly key: Value; readonly value: Value };
  /** The node that holds all of the attention, which then remembers by itself. */
  readonly fused?: Node;
}

/** What hands values on without computing anything of them. */
export const HANDS_ON: ReadonlySet<string> = new Set(['Transpose', 'Reshape', 'Expand', 'Unsqueeze', 'Identity']);

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
    at = node === undefined || !HANDS_ON.has(node.op) ? undefined : (node.inputs[0] ?? undefined);
  }
  return found;
};

/** By the node that multiplies queries and keys. */
type Places = ReadonlyMap<Node, AttentionPlace>;

const inPieces = (graph: Graph): Places =>
  new Map(
    attentionsOf(graph).flatMap((attention) => {
      const operands = operandsOf(graph, attention);
      const { heads = 0, product } = attention;
      const [key, value] = [operands?.keys, operands?.values].map((operand) =>
        operand === undefined ? undefined : earliest(graph, operand.value, heads),
      );
      if (key === undefined || value === undefined) return [];
      return [[product, { heads: key.heads, width: key.width, values: { key: key.at, value: value.at } }] as const];
    }),
  );

const fusedAt = (graph: Graph, node: Node): AttentionPlace | undefined => {
  const { num_heads: heads } = node.attrs;
  const [, key, value] = node.inputs;
  if (node.op !== 'MultiHeadAttention' || heads?.kind !== 'int' || key == null || value == null) return undefined;
  const width = graph.types.get(key)?.shape?.at(-1);
  return typeof width === 'number' ? { heads: heads.value, width: width / heads.value, fused: node } : undefined;
};

/** The place of an attention, and the node that multiplies queries and keys there. */
export interface PlacedAttention extends AttentionPlace {
  readonly at: Node;
}

/** The places of every attention, in the order of the graph. */
export const placesOfAttention = (graph: Graph): readonly PlacedAttention[] => {
  const pieces = inPieces(graph);
  return graph.nodes.flatMap((at) => {
    const place = pieces.get(at) ?? fusedAt(graph, at);
    return place === undefined ? [] : [{ ...place, at }];
  });
};

/** The places of every attention of a decoder, in the order of its layers. */
export const statesIn = (graph: Graph): readonly AttentionPlace[] => placesOfAttention(graph);

/** Where MultiHeadAttention reads what it adds to scores. */
const FUSED_BIAS = 5;

/** Values that a value is computed from, itself included, but for what stands behind some node. */
const behind = (graph: Graph, value: Value, without?: Node): ReadonlySet<Value> => {
  const { producer } = indexOf(graph);
  const seen = new Set<Value>();
  for (const open = [value]; open.length > 0; ) {
    const at = open.pop();
    if (at === undefined || seen.has(at)) continue;
    seen.add(at);
    const node = producer.get(at);
    if (node !== without) for (const input of node?.inputs ?? []) if (input !== null) open.push(input);
  }
  return seen;
};

/**
 * Whether every attention tells by the positions that are fed what a token sees. One that counts its tokens itself counts those that
 * it goes on with from 0 again, and would see the wrong ones of those that it remembers.
 */
export const seesByPositions = (graph: Graph, positions: Value | undefined): boolean => {
  if (positions === undefined) return false;
  const pieces = attentionsOf(graph).map(({ scores, product }) => behind(graph, scores, product));
  const fused = graph.nodes.flatMap((node) => {
    const bias = fusedAt(graph, node) === undefined ? undefined : node.inputs[FUSED_BIAS];
    return bias == null ? [] : [behind(graph, bias)];
  });
  return [...pieces, ...fused].every((values) => values.has(positions));
};
