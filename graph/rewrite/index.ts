import type { Graph } from '../graph.ts';
import { uniqueNames } from '../node-names.ts';
import { foldConstants } from './fold.ts';
import { rewrite } from './rewrite.ts';
import type { AnyRule } from './rule.ts';
import { inferenceRules } from './rules/index.ts';
import { selfAttention } from './rules/self-attention.ts';

export { foldConstants } from './fold.ts';
export { rewrite } from './rewrite.ts';
export { decodingRules, inferenceRules } from './rules/index.ts';

/** Its projections stand inside an operator that multiplies by floats or 8 bits, and by nothing else. */
const withProjections: ReadonlySet<AnyRule> = new Set([selfAttention]);

/**
 * The graph as it should run and ship: constants folded, operators fused where that is faster. Idempotent. `products` are
 * 'apart' where each is to be stored in a way that only a product by itself has a kernel for.
 */
export const fuseForInference = (graph: Graph, products: 'inside' | 'apart' = 'inside'): Graph => {
  const rules = products === 'inside' ? inferenceRules : inferenceRules.filter((rule) => !withProjections.has(rule));
  const fused = rewrite(foldConstants(graph), rules);
  return uniqueNames(foldConstants(fused));
};
