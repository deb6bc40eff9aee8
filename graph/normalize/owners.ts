import { type Graph, indexOf, type Node, type Value } from '../graph.ts';
import { type Site, sitesAt } from '../sites.ts';

/** Matrices and tables at a node. */
const matricesAt = (graph: Graph, node: Node): readonly Value[] =>
  sitesAt(graph, node).flatMap(({ use, weight }) => (use.kind === 'linear' || use.kind === 'lookup' ? [weight] : []));

/** No bias and no norm is further from what it belongs to. */
const REACH = 16;

/**
 * The matrices that a bias, a norm or a scale belongs to: those that the fewest nodes away made what it meets. Two vectors of
 * equal numbers are one parameter where these are the same, and two where they are not.
 */
export const ownersOf = (graph: Graph, { node }: Site): readonly Value[] => {
  const { producer } = indexOf(graph);
  const seen = new Set<Node>([node]);
  let front: readonly Node[] = [node];
  for (let steps = 0; steps < REACH && front.length > 0; steps++) {
    const owners = front.flatMap((one) => matricesAt(graph, one));
    if (owners.length > 0) return [...new Set(owners)].toSorted();
    const makers = front.flatMap(({ inputs }) =>
      inputs.flatMap((name) => (name === null ? [] : (producer.get(name) ?? []))),
    );
    front = [...new Set(makers)].filter((maker) => !seen.has(maker));
    for (const maker of front) seen.add(maker);
  }
  return [];
};
