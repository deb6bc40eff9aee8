import type { Graph } from '../graph.ts';
import { uniqueNames } from '../node-names.ts';
import { foldConstants } from './fold.ts';
import { rewrite } from './rewrite.ts';
import { inferenceRules } from './rules/index.ts';

export { foldConstants } from './fold.ts';
export { rewrite } from './rewrite.ts';
export { inferenceRules } from './rules/index.ts';

/** The graph as it should run and ship: constants folded, operators fused where that is faster. Idempotent. */
export const fuseForInference = (graph: Graph): Graph => {
  const fused = rewrite(foldConstants(graph), inferenceRules);
  return uniqueNames(foldConstants(fused));
};
