import { type Graph, type Node, readsOf, type Value, value } from '../../graph/graph.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { type Recorded, recordedOf } from './record.ts';

/**
 * Changed graphs keep nodes whose results nobody reads: they must run, or the change would take more than one thing away.
 * So they are made here by hand, not by a builder, and run without the runtime's own optimisations.
 */
const graphOf = (graph: Graph, nodes: readonly Node[], added: ReadonlyMap<Value, Tensor>): Graph => {
  const read = new Set<Value>([...nodes.flatMap(readsOf), ...graph.outputs]);
  const weights = new Map([...graph.weights, ...added].filter(([name]) => read.has(name)));
  return { ...graph, nodes, weights };
};

const identity = (input: Value, output: Value): Node => ({
  op: 'Identity',
  domain: '',
  name: `${output}/given`,
  inputs: [input],
  outputs: [output],
  attrs: {},
});

/** What is left without some nodes, and their results as constants. */
const withGiven = (
  graph: Graph,
  gone: ReadonlySet<Node>,
  recorded: Recorded,
): { readonly nodes: readonly Node[]; readonly given: ReadonlyMap<Value, Tensor> } => {
  const given = new Map<Value, Tensor>();
  const nodes = graph.nodes.flatMap((node) => {
    if (!gone.has(node)) return [node];
    const named = node.outputs.filter((output) => output !== '');
    return named.flatMap((output) => {
      const leaves = graph.outputs.includes(output);
      const constant = leaves ? value(`${output}/constant`) : output;
      given.set(constant, recordedOf(recorded, output));
      return leaves ? [identity(constant, output)] : [];
    });
  });
  return { nodes, given };
};

/**
 * The graph where each of some nodes is gone or replaced by others whose results nobody reads, and consumers get the
 * recorded results as constants: only the work of these nodes changes. `weights` holds what the replacements need.
 */
export const withInstead = (
  graph: Graph,
  instead: ReadonlyMap<Node, readonly Node[]>,
  recorded: Recorded,
  weights: ReadonlyMap<Value, Tensor> = new Map(),
): Graph => {
  const { nodes, given } = withGiven(graph, new Set(instead.keys()), recorded);
  const unread = [...instead.values()].flat().map((node) => ({
    ...node,
    name: `${node.name}/instead`,
    outputs: node.outputs.map((output) => value(`${output}/instead`)),
  }));
  return graphOf(graph, sorted(graph, nodes, unread), new Map([...given, ...weights]));
};

/** Puts replacements behind what they read. */
const sorted = (graph: Graph, nodes: readonly Node[], added: readonly Node[]): readonly Node[] => {
  const ready = new Set<Value>([...graph.inputs]);
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const waiting = [...added];
  const order: Node[] = [];
  const place = (): void => {
    for (const node of waiting.filter((candidate) => readsOf(candidate).every((v) => ready.has(v) || !made.has(v)))) {
      waiting.splice(waiting.indexOf(node), 1);
      order.push(node);
    }
  };
  for (const node of nodes) {
    place();
    order.push(node);
    for (const output of node.outputs) ready.add(output);
  }
  place();
  return [...order, ...waiting];
};
