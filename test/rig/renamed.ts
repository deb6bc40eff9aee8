import { stream } from '../../data/random.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';

/** The graph with every node and value called by a random number; inputs and outputs keep their names unless `all`. */
export const renamed = (graph: Graph, all = false, seed = 3): Graph => {
  const random = stream(seed, 'names');
  const names = new Map<Value, Value>(all ? [] : [...graph.inputs, ...graph.outputs].map((name) => [name, name]));
  const to = (old: Value): Value => {
    const name = names.get(old) ?? value(`v${names.size}-${random.integer(1e9)}`);
    names.set(old, name);
    return name;
  };
  const keys = <T>(map: ReadonlyMap<Value, T>): ReadonlyMap<Value, T> =>
    new Map([...map].map(([name, one]) => [to(name), one]));
  return {
    ...graph,
    inputs: graph.inputs.map(to),
    outputs: graph.outputs.map(to),
    weights: keys(graph.weights),
    types: keys(graph.types),
    nodes: graph.nodes.map((node, i) => ({
      ...node,
      name: `n${i}`,
      inputs: node.inputs.map((input) => (input === null || input === '' ? input : to(input))),
      outputs: node.outputs.map(to),
    })),
  };
};
