import { type Attention, attentionsOf } from '../../graph/attention.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { sitesAt, sitesOf } from '../../graph/sites.ts';
import { ancestorsOf, type Block, blocksOf, type Side, surrounds } from '../anatomy/blocks.ts';
import { activates } from '../anatomy/parts.ts';
import { streamsOf } from '../anatomy/streams.ts';
import type { DropoutKind } from './ratios.ts';
import { beforeActivation, gatedNeurons, holds, lastProduct, readBy, uses } from './sides.ts';

/** A value of which some is dropped in training, for whoever reads it. */
export interface DropoutPlace {
  readonly kind: DropoutKind;
  readonly value: Value;
}

/** What a linear of its own reads that only widens the stream before the first layer, as ELECTRA's; else the stream itself. */
const beforeWidening = (graph: Graph, stream: Value): Value => {
  const { producer } = indexOf(graph);
  const node = producer.get(stream);
  if (node === undefined) return stream;
  const behind = node.inputs.flatMap((input) => (input === null ? [] : (producer.get(input) ?? [])));
  const product = [node, ...behind].find((one) => uses(graph, one, 'linear'));
  const isBias = product === node || (product !== undefined && isOnlyShifted(graph, product, node));
  return product === undefined || !isBias ? stream : (readBy(graph, product) ?? stream);
};

const isOnlyShifted = (graph: Graph, product: Node, node: Node): boolean =>
  !uses(graph, node, 'norm') &&
  sitesAt(graph, node).some(({ use }) => use.kind === 'bias') &&
  node.inputs.every((input) => input !== null && (graph.weights.has(input) || product.outputs.includes(input)));

/** What each stream starts with. */
const embeddingsIn = (graph: Graph, blocks: readonly Block[]): readonly Value[] =>
  streamsOf(graph).flatMap(([first]) => {
    if (first === undefined) return [];
    const around = blocks.filter((block) => surrounds(block, first)).sort((a, b) => b.nodes.size - a.nodes.size);
    return [beforeWidening(graph, (around[0] ?? first).input)];
  });

/** The shares as they are multiplied with values: behind what guards or turns them. */
const sharesOf = (graph: Graph, { softmax, mixing }: Attention): readonly Value[] =>
  mixing.inputs
    .filter((input) => input !== null)
    .filter((input) => softmax.outputs.some((output) => ancestorsOf(graph, input).has(output)))
    .slice(0, 1);

/** Whether a side does more than pass the stream on in another width. */
const works = (graph: Graph, { nodes }: Side): boolean =>
  [...nodes].some(activates) || attentionsOf(graph).some(({ softmax }) => nodes.has(softmax));

/**
 * What a block adds: the result of its last matrix, or its gated neurons. A side that other blocks lie on is the stream itself,
 * unless it ends in a matrix: then those are thinner blocks in a bottleneck, and only what leaves it is dropped.
 */
const addedBy = (graph: Graph, block: Block, blocks: readonly Block[]): readonly DropoutPlace[] => {
  const inBottleneck = blocks.some((outer) =>
    outer.sides.some((side) => outer !== block && holds(side, block) && lastProduct(graph, side) !== undefined),
  );
  if (inBottleneck) return [];
  return block.sides.flatMap((side): readonly DropoutPlace[] => {
    const isStream = blocks.some((inner) => holds(side, inner)) && lastProduct(graph, side) === undefined;
    if (isStream || !works(graph, side)) return [];
    const neurons = gatedNeurons(graph, side);
    return [
      neurons === undefined
        ? { kind: 'hidden', value: beforeActivation(graph, side) }
        : { kind: 'neurons', value: neurons },
    ];
  });
};

/** Tables that are no stream and are projected to be compared with it, behind their norm. */
const tablesIn = (graph: Graph): readonly Value[] =>
  sitesOf(graph).flatMap(({ weight, node, use, through }) => {
    if (use.kind !== 'table' || !uses(graph, node, 'linear')) return [];
    return [through.find((one) => uses(graph, one, 'norm'))?.outputs[0] ?? weight];
  });

const isActivation = (graph: Graph, value: Value): boolean =>
  !graph.weights.has(value) && graph.types.get(value)?.dtype.startsWith('float') === true;

/** What the head's last matrix reads, and what the one before it does. */
const headPlaces = (graph: Graph, blocks: readonly Block[]): readonly DropoutPlace[] => {
  const last = sitesOf(graph).find(({ answers, use }) => answers && use.kind === 'linear');
  const read = last === undefined ? undefined : readBy(graph, last.node);
  if (read === undefined) return [];
  const inBlocks = new Set(blocks.flatMap(({ nodes }) => [...nodes]));
  const dense = nearestProduct(graph, read);
  const before = dense === undefined || inBlocks.has(dense) ? undefined : readBy(graph, dense);
  return [
    ...(before === undefined ? [] : [{ kind: 'pooler', value: before } as const]),
    { kind: 'classifier', value: read },
  ];
};

const nearestProduct = (graph: Graph, from: Value): Node | undefined => {
  const { producer } = indexOf(graph);
  const seen = new Set<Value>();
  for (const open = [from]; ; ) {
    const at = open.shift();
    if (at === undefined) return undefined;
    const node = seen.has(at) || !isActivation(graph, at) ? undefined : producer.get(at);
    seen.add(at);
    if (node !== undefined && uses(graph, node, 'linear')) return node;
    for (const input of node?.inputs ?? []) if (input !== null) open.push(input);
  }
};

/** Every place once, whatever found it first. */
const once = (places: readonly DropoutPlace[]): readonly DropoutPlace[] =>
  [...new Map(places.toReversed().map((place) => [place.value, place])).values()].toReversed();

/**
 * Where a Transformer drops in training, read off a view of its graph: the embeddings, the shares of attention, what each block
 * adds to the stream (Vaswani et al. 2017, section 5.4), and what a head reads. No name is read; none where there are no blocks.
 */
export const dropoutPlaces = (graph: Graph, { hasHead }: { readonly hasHead: boolean }): readonly DropoutPlace[] => {
  const blocks = blocksOf(graph);
  if (blocks.length === 0) return [];
  const inBlocks = new Set(blocks.flatMap(({ nodes }) => [...nodes]));
  const attentions = attentionsOf(graph).filter(({ softmax }) => inBlocks.has(softmax));
  return once([
    ...embeddingsIn(graph, blocks).map((value) => ({ kind: 'embeddings', value }) as const),
    ...tablesIn(graph).map((value) => ({ kind: 'positions', value }) as const),
    ...attentions.flatMap((one) => sharesOf(graph, one)).map((value) => ({ kind: 'attention', value }) as const),
    ...blocks.flatMap((block) => addedBy(graph, block, blocks)),
    ...(hasHead ? headPlaces(graph, blocks) : []),
  ]);
};
