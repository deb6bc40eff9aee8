import { GraphBuilder } from '../builder.ts';
import { type Graph, type Node, type Value, value } from '../graph.ts';

const withBodies = (node: Node, change: (graph: Graph) => Graph): Node => {
  const bodies = Object.entries(node.attrs).flatMap(([name, attribute]) => {
    if (attribute.kind !== 'graph') return [];
    const body = throughout(attribute.value, change);
    return body === attribute.value ? [] : [[name, { kind: 'graph', value: body }] as const];
  });
  return bodies.length === 0 ? node : { ...node, attrs: { ...node.attrs, ...Object.fromEntries(bodies) } };
};

/** A change of the bodies inside nodes (If, Loop), innermost first, and then of the graph; the same object where nothing changes. */
export const throughout = (graph: Graph, change: (graph: Graph) => Graph): Graph => {
  const nodes = graph.nodes.map((node) => withBodies(node, change));
  return change(nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes });
};

/** Everything that a graph and the bodies inside its nodes define. */
export const definedIn = (graph: Graph): readonly Value[] => [
  ...graph.inputs,
  ...graph.weights.keys(),
  ...graph.nodes.flatMap((node) => [...node.outputs, ...definedInside(node)]),
];

/** What the bodies inside a node define. */
export const definedInside = (node: Node): readonly Value[] =>
  Object.values(node.attrs).flatMap((attribute) => (attribute.kind === 'graph' ? definedIn(attribute.value) : []));

/** A graph whose nodes changed, with the types that follow from them. */
export const retyped = (graph: Graph): Graph => GraphBuilder.from(graph).freeze(graph.outputs);

/** Names that nothing in a graph has yet. */
export const namesBeside = (graph: Graph): ((wanted: string) => Value) => {
  const taken = new Set<string>(definedIn(graph));
  return (wanted) => {
    let name = wanted;
    for (let i = 1; taken.has(name); i++) name = `${wanted}.${i}`;
    taken.add(name);
    return value(name);
  };
};
