import type { Dim } from './dim.ts';
import { symbolsOf } from './dim.ts';
import { type Graph, indexOf, type Node, type Value } from './graph.ts';
import { intAttr, intsAttr } from './ops/shared-structure.ts';

/** What symbols are taken to be. */
export type Sizes = Readonly<Record<string, number>>;

const shapeOf = ({ types }: Graph, value: Value | null | undefined): readonly Dim[] =>
  value == null ? [] : (types.get(value)?.shape ?? []);

type Equal = readonly [Dim | undefined, Dim | undefined];

/** The width of heads of com.microsoft:GroupQueryAttention, which what it remembers is as wide as. */
const headWidth = (node: Node, query: Dim | undefined): number | undefined => {
  const heads = intAttr(node, 'num_heads', 1);
  const packed = node.inputs[1] == null ? 2 * intAttr(node, 'kv_num_heads', heads) : 0;
  return typeof query === 'number' ? query / (heads + packed) : undefined;
};

/** Dimensions that an operator wants equal. */
const equalAt = (graph: Graph, node: Node): readonly Equal[] => {
  const [first, ...others] = node.inputs.map((input) => shapeOf(graph, input));
  const [second = []] = others;
  if (first === undefined) return [];
  if (node.op === 'GroupQueryAttention') {
    const width = headWidth(node, first.at(-1));
    return others.slice(2, 4).map((past): Equal => [past.at(-1), width]);
  }
  if (node.domain !== '') return [];
  switch (node.op) {
    case 'Concat': {
      const axis = intAttr(node, 'axis', 0);
      const joined = axis < 0 ? axis + first.length : axis;
      return others.flatMap((other) => other.map((dim, i): Equal => (i === joined ? [1, 1] : [first[i], dim])));
    }
    case 'MatMul':
      return [[first.at(-1), second.at(-2)]];
    case 'Conv': {
      const inner = second[1];
      return [[first[1], typeof inner === 'number' ? inner * intAttr(node, 'group', 1) : undefined]];
    }
    default:
      return [];
  }
};

const isSymbol = (dim: Dim | undefined): dim is Exclude<Dim, number> =>
  typeof dim === 'string' && symbolsOf(dim).length === 1 && symbolsOf(dim)[0] === dim;

/** Symbols that can only be one number, since an operator wants a number in their place: channels, widths. */
export const deducedSizes = (graph: Graph): Sizes => {
  const sizes: Record<string, number> = {};
  for (const [a, b] of graph.nodes.flatMap((node) => equalAt(graph, node))) {
    if (isSymbol(a) && typeof b === 'number') sizes[a] ??= b;
    if (isSymbol(b) && typeof a === 'number') sizes[b] ??= a;
  }
  return sizes;
};

const between = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** Patches along one side of an image: more than a window holds are tried first, as of large images. */
const PATCHES = [...between(7, 64), ...between(1, 6)];

/**
 * Sizes that pixels may have: as many strides of the first convolution as there are patches along a side. A table of positions
 * may allow one of them alone.
 */
export const pixelSizes = (graph: Graph): readonly Sizes[] => {
  const { users } = indexOf(graph);
  for (const input of graph.inputs) {
    const convolution = (users.get(input) ?? []).find(({ op }) => op === 'Conv');
    const open = shapeOf(graph, input).slice(2).filter(isSymbol);
    if (convolution === undefined || open.length === 0) continue;
    const stride = intsAttr(convolution, 'strides')?.[0] ?? 1;
    return PATCHES.map((patches) => Object.fromEntries(open.map((name) => [name, stride * patches])));
  }
  return [{}];
};
