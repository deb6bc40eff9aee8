import { type Graph, indexOf, type Value } from '../../graph/graph.ts';
import { ancestorsOf, type Block, blocksOf, surrounds } from './blocks.ts';

/** The nearest block upstream whose sum the input of a block comes from; undefined where there is none. */
const before = (graph: Graph, { input }: Block, byOutput: ReadonlyMap<Value, Block>): Block | undefined => {
  const { producer } = indexOf(graph);
  const seen = new Set<Value>();
  let level: readonly Value[] = [input];
  while (level.length > 0) {
    const found = level.map((at) => byOutput.get(at)).find((block) => block !== undefined);
    if (found !== undefined) return found;
    for (const at of level) seen.add(at);
    const inputs = level.flatMap((at) => producer.get(at)?.inputs ?? []).filter((at) => at !== null);
    level = [...new Set(inputs)].filter((at) => !seen.has(at) && !graph.weights.has(at));
  }
  return undefined;
};

/** Blocks that follow one another, each group in the order of the graph. */
const chained = (graph: Graph, blocks: readonly Block[]): readonly (readonly Block[])[] => {
  const byOutput = new Map(blocks.map((block) => [block.output, block]));
  const first = new Map<Block, Block>();
  const root = (block: Block): Block => {
    const known = first.get(block);
    if (known !== undefined) return known;
    first.set(block, block);
    // A block around others begins where the first of them does: at the first layer nothing is before either.
    const previous = before(graph, block, byOutput) ?? blocks.find((inner) => surrounds(block, inner));
    const found = previous === undefined ? block : root(previous);
    first.set(block, found);
    return found;
  };
  const groups = new Map<Block, Block[]>();
  for (const block of blocks) groups.set(root(block), [...(groups.get(root(block)) ?? []), block]);
  return [...groups.values()];
};

/** Residual blocks, one list a stream: a decoder's comes behind that of the encoder it reads. Files list nodes in any order that works. */
export const streamsOf = (graph: Graph): readonly (readonly Block[])[] => {
  const blocks = blocksOf(graph);
  const above = new Map(blocks.map((block) => [block, ancestorsOf(graph, block.output)]));
  const depth = (block: Block): number => blocks.filter(({ output }) => above.get(block)?.has(output)).length;
  const depths = new Map(blocks.map((block) => [block, depth(block)]));
  const byDepth = (a: Block, b: Block): number => (depths.get(a) ?? 0) - (depths.get(b) ?? 0);
  const streams = chained(graph, blocks).map((own) => own.toSorted(byDepth));
  const reads = (stream: readonly Block[], other: readonly Block[]): boolean =>
    stream !== other && stream.some((block) => other.some(({ output }) => above.get(block)?.has(output)));
  const readBefore = (stream: readonly Block[]): number => streams.filter((other) => reads(stream, other)).length;
  return streams.toSorted((a, b) => readBefore(a) - readBefore(b));
};
