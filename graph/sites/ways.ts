import type { Carried } from './content.ts';

/**
 * Each weight once for what was claimed of it and where its axes are, by its first way: residual sums of what no stream met would
 * double the ways at every layer.
 */
export const onceEach = (all: readonly Carried[]): readonly Carried[] => {
  const first = new Map<string, Carried>();
  for (const one of all) {
    const { weight, axes, claim } = one;
    const key = JSON.stringify([weight, axes, claim?.node.name, claim?.use.input]);
    if (!first.has(key)) first.set(key, one);
  }
  return [...first.values()];
};
