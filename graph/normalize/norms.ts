import { rewrite } from '../rewrite/index.ts';
import { layerNorm } from '../rewrite/rules/layer-norm.ts';
import type { Pass } from './pass.ts';

/** Layer normalisation in nine nodes as the one operator for it: where a stream begins and ends shows, and its gradient is short. */
export const norms: Pass = {
  name: 'norms',
  run: (graph) => rewrite(graph, [layerNorm]),
  changes: layerNorm.fires,
  leaves: layerNorm.holds,
};
