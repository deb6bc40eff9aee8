import type { Graph, Value } from '../../graph/graph.ts';
import { sitesOfWeight } from '../../graph/sites.ts';
import type { Plane } from './plane.ts';

/** How a weight lies: what multiplies by it says what its inputs are. */
export const planeOf = (graph: Graph, name: Value): Plane => {
  const dims = graph.weights.get(name)?.dims ?? [];
  if (dims.length < 2) return { rows: 1, width: dims[0] ?? 1, turned: false };
  const [first = 1, ...others] = dims;
  const rest = others.reduce((size, dim) => size * dim, 1);
  const use = sitesOfWeight(graph, name).find((site) => site.use.kind === 'linear')?.use;
  const turned = dims.length === 2 && use?.kind === 'linear' && use.inner === 0;
  return turned ? { rows: rest, width: first, turned } : { rows: first, width: rest, turned: false };
};
