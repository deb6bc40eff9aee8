import type { Graph } from '../../graph/graph.ts';
import { depthsOf } from '../anatomy/depth.ts';

/** Whether training drops anything of a model besides what its head reads. */
export const dropsInBody = (graph: Graph): boolean => {
  const { groups, nodes } = depthsOf(graph);
  const head = groups.length - 1;
  return graph.nodes.some((node) => node.op === 'Dropout' && nodes.get(node) !== head);
};
