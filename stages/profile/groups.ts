import type { NodeGroup } from '../../data/profile.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { productAt, sitesAt } from '../../graph/sites.ts';
import { attendingIn } from './attending.ts';
import { productSiteAt } from './products.ts';

const usersOf = (graph: Graph, { outputs }: Node): readonly Node[] =>
  outputs.flatMap((output) => indexOf(graph).users.get(output) ?? []);

const crossing: ReadonlySet<string> = new Set(['DynamicQuantizeLinear', 'QuantizeLinear', 'DequantizeLinear']);

/** The matrix whose rows a node looks up. */
export const tableOf = (graph: Graph, node: Node): Value | undefined =>
  sitesAt(graph, node).find(
    ({ use, weight, through }) =>
      use.kind === 'lookup' && through.length === 0 && graph.weights.get(weight)?.dims.length === 2,
  )?.weight;

/** Whether a value holds integers that stand for floats: the sums of an integer product, or rows of an integer table. */
const holdsSteps = (graph: Graph, input: Value | null | undefined): boolean => {
  const source = input == null ? undefined : indexOf(graph).producer.get(input);
  const product = source === undefined ? undefined : productAt(graph, source);
  if (product?.use.zero !== undefined && product.use.steps === undefined) return true;
  const table = source === undefined ? undefined : tableOf(graph, source);
  return table !== undefined && /^u?int8$/.test(graph.weights.get(table)?.dtype ?? '');
};

/** What brings the steps of an integer product or of rows: their own look-up, or the product of both sides' steps. */
const fetching: ReadonlySet<string> = new Set(['Gather', 'Mul']);

/** Casts back to float, the multiplication with the steps, and what fetches the steps. */
const backToFloat = (graph: Graph): ReadonlySet<Node> => {
  const found = new Set<Node>();
  const { producer } = indexOf(graph);
  for (const cast of graph.nodes) {
    if (cast.op !== 'Cast' || !holdsSteps(graph, cast.inputs[0])) continue;
    found.add(cast);
    for (const scaled of usersOf(graph, cast).filter((user) => user.op === 'Mul')) {
      found.add(scaled);
      for (const input of scaled.inputs) {
        const source = input === null ? undefined : producer.get(input);
        if (source !== undefined && fetching.has(source.op)) found.add(source);
      }
    }
  }
  return found;
};

/** What every node is there for. */
export const groupsOf = (graph: Graph): ReadonlyMap<Node, NodeGroup> => {
  const steps = backToFloat(graph);
  const attending = attendingIn(graph, (node) => crossing.has(node.op) || steps.has(node));
  const groupOf = (node: Node): NodeGroup => {
    if (attending.has(node)) return 'attention';
    if (crossing.has(node.op) || steps.has(node)) return 'quantize';
    return productSiteAt(graph, node) === undefined ? 'other' : 'product';
  };
  return new Map(graph.nodes.map((node) => [node, groupOf(node)]));
};
