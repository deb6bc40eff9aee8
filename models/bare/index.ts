import type { Graph } from '../../graph/graph.ts';
import { axesOfInputs } from './axes.ts';
import { flattened } from './flat.ts';
import { foundInputs, isImage } from './inputs.ts';
import { answerOf, outputsOf } from './outputs.ts';
import { longestOf } from './positions.ts';
import type { Roles } from './roles.ts';
import { statesOf } from './states.ts';

export { sampleFeeds } from './feeds.ts';
export { readBare } from './read.ts';
export type * from './roles.ts';

const derived = (given: Graph): Roles => {
  const graph = flattened(given);
  const states = statesOf(graph, (name) => isImage(graph, name));
  const found = foundInputs(graph, new Set(states.map(({ past }) => past)));
  const axes = axesOfInputs(graph, found, new Set(states.flatMap(({ past, grows }) => (grows ? [past] : []))));
  const inputs = [...found].map(([name, one]) => ({
    ...{ name, dtype: graph.types.get(name)?.dtype ?? 'float32', axes: axes.get(name) ?? [] },
    ...one,
  }));
  const outputs = outputsOf(graph, states);
  const answer = answerOf(outputs);
  const positions = inputs.filter(({ role }) => role === 'positions').map(({ name }) => name);
  const longest = longestOf(graph, positions);
  return {
    ...{ inputs, outputs },
    states: states.map(({ past, present }) => (present === undefined ? { past } : { past, present })),
    ...(answer === undefined ? {} : { answer }),
    ...(longest === undefined ? {} : { longest }),
  };
};

const cache = new WeakMap<Graph, Roles>();

/**
 * What each input of a graph is fed and what its outputs give, found by what the graph does with them: ids look up rows, masks
 * change scores, kernels cover images, states go out again. Names only choose where that leaves it open. Derived once a graph.
 */
export const rolesOf = (graph: Graph): Roles => {
  const known = cache.get(graph) ?? derived(graph);
  cache.set(graph, known);
  return known;
};
