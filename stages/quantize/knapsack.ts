import type { Value } from '../../graph/graph.ts';
import type { Storage } from '../../graph/quantize/choose.ts';
import type { Item, Rung as KnapsackRung, Step as KnapsackStep } from '../knapsack.ts';

/** One way of storing a weight, all others in floats: bytes of the file, and what is lost between answers (nats, or 1 - cosine). */
export interface Rung extends KnapsackRung {
  readonly storage: Storage;
}

/** A weight with the ways of storing it, the one of fewest bytes first. */
export type Site = Item<Value, Rung>;

/** A weight that goes from one way of being stored to a wider one. */
export type Step = KnapsackStep<Value>;

/** Steps after which every weight stands in the finest blocks that save anything: beyond, floats alone take their place. */
export const throughBlocks = (sites: readonly Site[], path: readonly Step[]): number => {
  const rungs = new Map(sites.map((site) => [site.name, site.rungs]));
  return path.findLastIndex(({ name, to }) => rungs.get(name)?.[to]?.storage !== 'float') + 1;
};
