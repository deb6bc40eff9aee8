import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { type Block, surrounds } from './blocks.ts';
import { streamsOf } from './streams.ts';

/** An attention block with the feed-forward blocks that follow it. */
export interface LayerSpan {
  readonly index: number;
  /** The residual stream before and after the layer; after it means past the normalisation in post-norm models. */
  readonly input: Value;
  readonly output: Value;
  readonly blocks: readonly Block[];
}

/** Every node of a layer once: blocks may stand around others. */
export const nodesOf = ({ blocks }: LayerSpan): readonly Node[] => [
  ...new Set(blocks.flatMap((block) => [...block.nodes])),
];

/**
 * Layers begin at each block of self-attention that stands around no other; without any every block is a layer.
 */
const groupBlocks = (blocks: readonly Block[], attends: boolean): readonly (readonly Block[])[] => {
  const layers: Block[][] = [];
  for (const block of blocks) {
    const current = layers.at(-1);
    const begins = block.kind === 'attention' && !surrounds(block, current?.[0]);
    if (current === undefined || !attends || begins) layers.push([block]);
    else current.push(block);
  }
  return layers;
};

const onlyUser = (graph: Graph, value: Value): Node | undefined => {
  const users = indexOf(graph).users.get(value) ?? [];
  return users.length === 1 ? users[0] : undefined;
};

/** Operators between a sum and the point where the next block begins: a normalisation in post-norm models. */
const stepsBetween = (graph: Graph, from: Value, to: Value): readonly string[] | undefined => {
  const steps: string[] = [];
  for (let at = to; at !== from; ) {
    const node = indexOf(graph).producer.get(at);
    const [input] = node?.inputs ?? [];
    if (node === undefined || input == null || graph.weights.has(input)) return undefined;
    steps.unshift(node.op);
    at = input;
  }
  return steps;
};

/** What stands behind a sum, in a model that has no two blocks in a row: behind the last of those inside it. */
const stepsInside = (graph: Graph, blocks: readonly Block[]): readonly string[] => {
  for (const [i, next] of blocks.entries()) {
    const before = blocks[i - 1];
    const steps = before === undefined ? undefined : stepsBetween(graph, before.output, next.input);
    if (steps !== undefined) return steps;
  }
  return [];
};

/** The stream after the last block: what stands behind earlier sums stands behind this one too. */
const lastOutput = (graph: Graph, blocks: readonly Block[], all: readonly Block[]): Value | undefined => {
  const last = blocks.at(-1);
  const before = blocks.at(-2);
  if (last === undefined) return undefined;
  const steps = before === undefined ? stepsInside(graph, all) : stepsBetween(graph, before.output, last.input);
  let at = last.output;
  for (const op of steps ?? []) {
    const next = onlyUser(graph, at);
    const [output] = next?.outputs ?? [];
    if (next?.op !== op || output === undefined) return last.output;
    at = output;
  }
  return at;
};

/** The blocks of a layer that no other stands around. */
const outermost = (own: readonly Block[]): readonly Block[] =>
  own.filter((block) => !own.some((other) => surrounds(other, block)));

/** Layers of one stream, in its order. */
const spansOf = (graph: Graph, blocks: readonly Block[], attends: boolean): readonly Omit<LayerSpan, 'index'>[] => {
  const layers = groupBlocks(blocks, attends);
  const streams = layers.map(outermost);
  return layers.flatMap((own, index) => {
    const input = streams[index]?.[0]?.input;
    const output = streams[index + 1]?.[0]?.input ?? lastOutput(graph, streams.flat(), layers.flat());
    return input === undefined || output === undefined ? [] : [{ input, output, blocks: own }];
  });
};

/** Layers of a graph in the order in which they are computed: those of an encoder, then those of what reads it. */
export const layerSpansOf = (graph: Graph): readonly LayerSpan[] => {
  const streams = streamsOf(graph);
  const attends = streams.flat().some(({ kind }) => kind === 'attention');
  return streams.flatMap((blocks) => spansOf(graph, blocks, attends)).map((span, index) => ({ ...span, index }));
};
