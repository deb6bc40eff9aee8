import type { Graph, Value } from '../../graph/graph.ts';
import {
  type BlockChoice,
  type Choice,
  chooseWeights,
  isBlocks,
  type QuantizeOptions,
  type Storage,
} from '../../graph/quantize/choose.ts';
import type { Grid } from '../../graph/quantize/grid.ts';
import { bytesAfter } from '../../graph/quantize/report.ts';

/** Bits beyond the fewest that a weight may be stored in, before floats. */
const wider: readonly Grid['bits'][] = [4, 8];

/** Numbers that may share a scale where nobody says how many: blocks so wide take the fewest bytes, those of the format err less. */
const coarse: readonly number[] = [64, 128, 256];

/** Choices with blocks of another size; those that cannot have them stay as they are. */
const inBlocksOf = (graph: Graph, options: QuantizeOptions, block: number) =>
  chooseWeights(graph, { ...options, block });

const blocksIn = (choice: Choice | undefined): BlockChoice | undefined =>
  choice !== undefined && isBlocks(choice) ? choice : undefined;

/** The blocks of fewest bytes: rows of products are filled up, so that the widest are not always the smallest. */
const smallest = (choices: readonly BlockChoice[], dims: readonly number[]): BlockChoice | undefined =>
  choices.toSorted((a, b) => bytesAfter(a, dims, 0) - bytesAfter(b, dims, 0))[0];

/**
 * What each weight in blocks may be stored in, from the fewest bytes on: the fewest bits in wide blocks, unless somebody says how
 * wide, and in those of the format; more bits; floats.
 */
export const laddersOf = (graph: Graph, options: QuantizeOptions): ReadonlyMap<Value, readonly Storage[]> => {
  const others = options.block === undefined ? coarse.map((block) => inBlocksOf(graph, options, block)) : [];
  return new Map(
    [...chooseWeights(graph, options)].flatMap(([name, choice]) => {
      const own = blocksIn(choice);
      if (own === undefined) return [];
      const { grid } = own;
      const dims = graph.weights.get(name)?.dims ?? [];
      const wide = smallest([...others.flatMap((all) => blocksIn(all.get(name)) ?? []), own], dims)?.grid ?? grid;
      const fine = wider.filter((bits) => bits > grid.bits).map((bits): Storage => ({ ...grid, bits }));
      return [[name, [...(wide.block === grid.block ? [] : [wide]), grid, ...fine, 'float']] as const];
    }),
  );
};
