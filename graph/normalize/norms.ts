import { rewrite } from '../rewrite/index.ts';
import { layerNorm } from '../rewrite/rules/layer-norm.ts';
import type { Pass } from './pass.ts';
import { rowShares } from './row-shares.ts';

const rules = [layerNorm, rowShares];

/**
 * What old operator sets say in several nodes, as the one operator for it: layer normalisation, and shares along the last axis. Where
 * a stream begins and ends shows, attention is found at its shares, and gradients are short.
 */
export const norms: Pass = {
  name: 'norms',
  run: (graph) => rewrite(graph, rules),
  changes: rules.flatMap(({ fires }) => fires),
  leaves: rules.flatMap(({ holds }) => holds),
};
