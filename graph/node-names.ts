import type { Graph } from './graph.ts';

/** The graph with a name of its own for every node that has one: runtimes refuse two of one name. The same object where they have. */
export const uniqueNames = (graph: Graph): Graph => {
  const own = new Set(graph.nodes.map(({ name }) => name));
  if (own.size === graph.nodes.length) return graph;
  const seen = new Set<string>();
  const nodes = graph.nodes.map((node) => {
    let { name } = node;
    if (seen.has(name) && name !== '') for (let i = 2; own.has(name) || seen.has(name); i++) name = `${node.name}/${i}`;
    seen.add(name);
    return name === node.name ? node : { ...node, name };
  });
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes };
};
