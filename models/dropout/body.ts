import type { Graph } from '../../graph/graph.ts';
import { depthsOf } from '../anatomy/depth.ts';

/** How many places of a model drop in training besides those of its head. */
export const dropsInBody = (graph: Graph): number => {
  const { groups, nodes } = depthsOf(graph);
  const head = groups.length - 1;
  return graph.nodes.filter((node) => node.op === 'Dropout' && nodes.get(node) !== head).length;
};
