import { type Attention, attentionsOf, isFusedAttention } from '../../../graph/attention.ts';
import { type Graph, type Node, type Value, value } from '../../../graph/graph.ts';
import type { Tensor } from '../../../graph/tensor.ts';
import { withInstead } from '../given.ts';
import { intAttribute, productOf } from '../products.ts';
import { integerNoise, noise, type Subject, type Variant } from './variant.ts';

/** MultiHeadAttention on queries, keys and values of a shape, with further inputs as they are. */
const attentionOn = (
  node: Node,
  shapes: readonly (readonly number[])[],
  { heads, rest = [] }: { readonly heads: number; readonly rest?: readonly (Value | null)[] },
  weights: Map<Value, Tensor>,
): Node => {
  const operands = shapes.map((shape, i) => {
    const name = value(`${node.name}/operand_${i}`);
    weights.set(name, noise(shape));
    return name;
  });
  const attrs = { ...(node.op === 'Softmax' ? {} : node.attrs), num_heads: { kind: 'int', value: heads } as const };
  return { ...node, op: 'MultiHeadAttention', domain: 'com.microsoft', inputs: [...operands, ...rest], attrs };
};

/** Heads, lengths and width of attention in pieces. */
const sizesOf = (
  { recorded }: Subject,
  { softmax, product }: Attention,
): { readonly heads: number; readonly shapes: readonly (readonly number[])[] } | undefined => {
  const [query] = product.inputs;
  const [batch, heads, length, width] = (query == null ? undefined : recorded.get(query)?.dims) ?? [];
  const keys = recorded.get(softmax.outputs[0] ?? value(''))?.dims.at(-1);
  if (batch === undefined || heads === undefined || length === undefined || width === undefined) return undefined;
  return { heads, shapes: [length, keys ?? length, keys ?? length].map((steps) => [batch, steps, heads * width]) };
};

/** One node of the same heads and lengths in the place of every attention in pieces. */
export const fusedAttention: Variant = {
  name: 'fused-attention',
  make: (subject) => {
    const { graph, recorded } = subject;
    const instead = new Map<Node, readonly Node[]>();
    const weights = new Map<Value, Tensor>();
    for (const attention of attentionsOf(graph)) {
      const { softmax, nodes } = attention;
      const sizes = sizesOf(subject, attention);
      if (sizes === undefined) continue;
      for (const node of nodes) instead.set(node, []);
      const plain = { ...softmax, outputs: softmax.outputs.slice(0, 1) };
      instead.set(softmax, [attentionOn(plain, sizes.shapes, sizes, weights)]);
    }
    return instead.size === 0 ? undefined : withInstead(graph, instead, recorded, weights);
  },
};

/** Widths that fill vectors of eight floats, and of four where heads are that narrow. */
const vectorOf = (width: number): number => (width > 8 ? 8 : 4);

/** The nearest widths on both sides that fill vectors; undefined where the width does so itself, or none is narrower. */
const evenWidths = (width: number): { readonly narrow: number; readonly wide: number } | undefined => {
  const vector = vectorOf(width);
  const narrow = Math.floor(width / vector) * vector;
  return narrow === 0 || narrow === width ? undefined : { narrow, wide: narrow + vector };
};

/** Width of one head of a fused attention. */
export const headWidth = ({ graph, recorded }: Subject, node: Node): number => {
  const heads = intAttribute(node, 'num_heads') ?? 1;
  const packed = productOf(graph, node);
  if (packed !== undefined) return packed.columns / 3 / heads;
  const [query] = node.inputs;
  return (query == null ? 0 : (recorded.get(query)?.dims.at(-1) ?? 0)) / heads;
};

/** Attention with packed projections to heads of another width. */
const packedOf = (graph: Graph, node: Node, width: number, weights: Map<Value, Tensor>): Node => {
  const product = productOf(graph, node);
  if (product === undefined) return node;
  const add = (part: string, tensor: Tensor): Value => {
    const name = value(`${node.name}/wide_${part}`);
    weights.set(name, tensor);
    return name;
  };
  const dims = [product.inner, width];
  const [x = null, , , ...rest] = node.inputs;
  const matrix = add('weight', product.tensor.dtype === 'float32' ? noise(dims) : integerNoise(dims));
  const changed = node.op === 'QAttention' ? rest.with(1, add('steps', noise([width]))) : rest;
  return { ...node, inputs: [x, matrix, add('bias', noise([width])), ...changed] };
};

/** A fused attention with heads of another width. */
const resized = (subject: Subject, node: Node, headWide: number, weights: Map<Value, Tensor>): Node | undefined => {
  const heads = intAttribute(node, 'num_heads') ?? 1;
  const plain = { ...node, outputs: node.outputs.slice(0, 1) };
  if (productOf(subject.graph, node) !== undefined) {
    return packedOf(subject.graph, plain, 3 * heads * headWide, weights);
  }
  const { recorded } = subject;
  const shapes = node.inputs.slice(0, 3).map((input) => (input === null ? [] : (recorded.get(input)?.dims ?? [])));
  if (shapes.some((shape) => shape.length !== 3)) return undefined;
  const other = shapes.map((shape) => [...shape.slice(0, 2), heads * headWide]);
  // A bias of the projections would be as long as the old width.
  const rest = node.inputs.slice(3).map((input, i) => (i === 0 ? null : input));
  return attentionOn(plain, other, { heads, rest }, weights);
};

/** Attention whose heads do not fill vectors, with the next width on one side that does. */
const evenHeads = (side: 'narrow' | 'wide'): Variant => ({
  name: `${side}-heads`,
  make: (subject) => {
    const instead = new Map<Node, readonly Node[]>();
    const weights = new Map<Value, Tensor>();
    for (const node of subject.graph.nodes.filter(isFusedAttention)) {
      const width = evenWidths(headWidth(subject, node))?.[side];
      const changed = width === undefined ? undefined : resized(subject, node, width, weights);
      if (changed !== undefined) instead.set(node, [changed]);
    }
    return instead.size === 0 ? undefined : withInstead(subject.graph, instead, subject.recorded, weights);
  },
});

export const narrowHeads = evenHeads('narrow');
export const wideHeads = evenHeads('wide');
