import type { NodeGroup } from '../../../data/profile.ts';
import type { Graph, Node, Value } from '../../../graph/graph.ts';
import type { Tensor } from '../../../graph/tensor.ts';
import { withInstead } from '../given.ts';
import { isPackedAttention, productOf } from '../products.ts';
import { quantizedNames, recordedOf } from '../record.ts';
import { quantizesInside } from './integers.ts';
import { narrowed } from './narrow.ts';
import type { Subject, Variant } from './variant.ts';

/** A kernel that quantizes its input as the kernel behind it, on integers that are given. */
const onGivenIntegers = ({ recorded }: Subject, node: Node, weights: Map<Value, Tensor>): readonly Node[] => {
  const [activation = null, weight = null, steps = null, zero = null, bias = null] = node.inputs;
  if (activation === null) throw new Error(`'${node.name}' has no first input`);
  const given = quantizedNames(activation);
  for (const name of given) weights.set(name, recordedOf(recorded, name));
  const [integers, step, offset] = given;
  const inputs = [integers, weight, step, steps, offset, zero, bias];
  while (inputs.at(-1) === null) inputs.pop();
  return [{ ...node, op: 'MatMulIntegerToFloat', inputs, attrs: {} }];
};

/** What stands in the place of a node when groups are gone; undefined where it stays as it is. */
const replacement = (
  subject: Subject,
  gone: ReadonlySet<NodeGroup>,
  node: Node,
  weights: Map<Value, Tensor>,
): readonly Node[] | undefined => {
  if (gone.has(subject.groups.get(node) ?? 'other')) return [];
  if (gone.has('quantize') && quantizesInside(node)) return onGivenIntegers(subject, node, weights);
  const product = productOf(subject.graph, node);
  if (!gone.has('product') || !isPackedAttention(node) || product === undefined) return undefined;
  // A projection of one input costs next to nothing: what is left is the attention behind it.
  return [narrowed(subject, product, 1, weights)];
};

const withoutGroups = (subject: Subject, ...gone: readonly NodeGroup[]): Graph => {
  const instead = new Map<Node, readonly Node[]>();
  const weights = new Map<Value, Tensor>();
  for (const node of subject.graph.nodes) {
    const nodes = replacement(subject, new Set(gone), node, weights);
    if (nodes !== undefined) instead.set(node, nodes);
  }
  return withInstead(subject.graph, instead, subject.recorded, weights);
};

const has = ({ graph, groups }: Subject, group: NodeGroup): boolean =>
  graph.nodes.some((node) => groups.get(node) === group);

/** The graph without steps between float and integers: what they put out is given. */
const withoutQuantize: Variant = {
  name: 'without-quantize',
  make: (subject) =>
    has(subject, 'quantize') || subject.graph.nodes.some(quantizesInside)
      ? withoutGroups(subject, 'quantize')
      : undefined,
};

/** Without steps and products. */
const withoutProduct: Variant = {
  name: 'without-product',
  make: (subject) =>
    subject.graph.nodes.some((node) => productOf(subject.graph, node) !== undefined)
      ? withoutGroups(subject, 'quantize', 'product')
      : undefined,
};

/** Without one more group: beside large products its few microseconds would drown in noise. */
const withoutMore = (group: 'attention' | 'other'): Variant => ({
  name: `without-${group}`,
  make: (subject) => (has(subject, group) ? withoutGroups(subject, 'quantize', 'product', group) : undefined),
});

/** The graph with the results of groups of nodes given, one group after another: what it runs less is what they cost. */
export const without: readonly Variant[] = [
  withoutQuantize,
  withoutProduct,
  withoutMore('attention'),
  withoutMore('other'),
];
