import type { Carried } from './content.ts';

/** Ways of weights into one value from which on they are told once each: residual sums of what no stream met double them. */
const MANY_WAYS = 256;

/** The first way of each weight with what was claimed of it. */
const onceEach = (all: readonly Carried[]): readonly Carried[] => {
  const first = new Map<string, Carried>();
  for (const one of all) {
    const key = JSON.stringify([one.weight, one.claim?.node.name, one.claim?.use.input]);
    if (!first.has(key)) first.set(key, one);
  }
  return [...first.values()];
};

/** The same ways, or one of each weight where there are many. */
export const fewWays = (all: readonly Carried[]): readonly Carried[] => (all.length > MANY_WAYS ? onceEach(all) : all);
