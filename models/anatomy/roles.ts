import type { Graph, Value } from '../../graph/graph.ts';
import { type Site, sitesAt, sitesOfWeight } from '../../graph/sites.ts';
import { modelTask, type TaskName } from '../../ground/tasks.ts';

/** What a parameter does. A classifier is the last matrix in front of an answer, whatever is answered. */
export type Role = 'matrix' | 'classifier' | 'embedding' | 'norm' | 'bias';

/** A model as far as roles depend on it: vectors are no answers of a head. */
interface Roles {
  readonly graph: Graph;
  readonly info: { readonly task: TaskName };
}

/** Scales and shifts of a norm go together; other shifts are biases. */
const isOfNorm = (graph: Graph, { node, use }: Site): boolean =>
  use.kind === 'norm' || use.kind === 'scale' || sitesAt(graph, node).some((other) => other.use.kind === 'norm');

const isVector = (graph: Graph, name: Value): boolean => (graph.weights.get(name)?.dims.length ?? 0) < 2;

/** What a parameter of a model does. */
export const roleOf = ({ graph, info }: Roles, name: Value): Role => {
  const sites = sitesOfWeight(graph, name).filter(({ use }) => use.kind !== 'fixed');
  if (sites.some(({ use }) => use.kind === 'lookup')) return 'embedding';
  if (isVector(graph, name)) return sites.some((site) => isOfNorm(graph, site)) ? 'norm' : 'bias';
  const isLast = sites.some(({ answers }) => answers) && modelTask(info.task).answer !== 'vector';
  return isLast ? 'classifier' : 'matrix';
};
