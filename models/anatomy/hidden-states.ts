import type { Graph, Value } from '../../graph/graph.ts';
import type { Model, ModelInfo } from '../model.ts';
import { layerSpansOf } from './layers.ts';

const shownBy = (graph: Graph): readonly Value[] => layerSpansOf(graph).map(({ output }) => output);

/** The residual stream after each layer, (batch, sequence, hidden): what the graph shows, or what its maker said. */
export const hiddenStatesOf = ({ graph, info }: Model): readonly Value[] => info.hiddenStates ?? shownBy(graph);

/** What a maker has to say of its hidden states: nothing where the graph shows the same. */
export const hiddenStatesFact = (graph: Graph, states: readonly Value[]): Pick<ModelInfo, 'hiddenStates'> =>
  shownBy(graph).join('\n') === states.join('\n') ? {} : { hiddenStates: states };

/** Those that a changed graph still computes. */
export const hiddenStatesIn = (graph: Graph, { hiddenStates }: ModelInfo): Pick<ModelInfo, 'hiddenStates'> => {
  if (hiddenStates === undefined) return {};
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs));
  return { hiddenStates: hiddenStates.filter((state) => computed.has(state)) };
};
