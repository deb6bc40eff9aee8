import type { Graph, Value } from '../graph/graph.ts';

/** GraphBuilder names what `constant`, `scalar` and `ints` make so, below whatever scope was open. */
const constantName = /(^|\/)constant_\d+$/;

/** Whether a weight was made by `builder.constant`, `scalar` or `ints`: axes, shapes, scales and mask values. */
export const isConstantName = (name: string): boolean => constantName.test(name);

/**
 * Whether a weight is a parameter, which training may move: floating point, and not named as constants are. Axes,
 * attention scales and mask values are weights too, but nobody trains them.
 */
export const isParameter = (graph: Graph, name: Value): boolean => {
  const tensor = graph.weights.get(name);
  return tensor?.dtype.startsWith('float') === true && !isConstantName(name);
};

/** Names of the parameters in the order in which the graph stores them. */
export const parameterNames = (graph: Graph): readonly Value[] =>
  [...graph.weights.keys()].filter((name) => isParameter(graph, name));
