import type { Graph } from '../../graph/graph.ts';
import { hiddenStatesIn } from '../../models/anatomy/hidden-states.ts';
import { layerUnits } from '../../models/anatomy/units.ts';
import { type Anatomy, anatomyOf, type Part } from '../../models/anatomy.ts';
import type { ModelInfo } from '../../models/model.ts';
import type { State } from '../../models/signature.ts';

const most = (parts: readonly Part[]): number => Math.max(0, ...parts.map((part) => part.count));

/** Heads of queries and of keys, where groups of the former share the latter: what goes together is a group. */
const grouped = (graph: Graph, anatomy: Anatomy): Readonly<Record<string, number>> => {
  const units = anatomy.layers.map((layer) => layerUnits(graph, anatomy, layer));
  const largest = (of: 'heads' | 'kvHeads') => Math.max(0, ...units.map((layer) => layer[of]));
  return { heads: largest('heads'), kvHeads: largest('kvHeads') };
};

/** Layers; where some write and look at what others read, these apart from those. */
const stacksOf = ({ dimensions }: ModelInfo, { layers }: Anatomy): Readonly<Record<string, number>> => {
  if (!('decoderLayers' in dimensions)) return { layers: layers.length };
  const writing = layers.filter(({ blocks }) => blocks.some(({ kind }) => kind === 'cross-attention'));
  return { layers: layers.length - writing.length, decoderLayers: writing.length };
};

/** What is remembered, as wide as the graph takes it now: a cut of heads that share keys is one of their states. */
const statesIn = ({ types }: Graph, { signature }: ModelInfo): readonly State[] =>
  signature.states.map((state) => {
    const { shape = [] } = types.get(state.past) ?? {};
    const axes = state.axes.map((axis, i) => {
      const size = shape[i];
      return typeof axis === 'number' && typeof size === 'number' ? size : axis;
    });
    return { ...state, axes };
  });

/**
 * What a cut changes about a model besides its graph: its figures, which layers still put out a hidden state, and how wide
 * what it remembers is.
 */
export const infoAfter = (info: ModelInfo, graph: Graph): ModelInfo => {
  const anatomy = anatomyOf(graph);
  const { layers, hidden, vocabulary, embeddingWidth } = anatomy;
  const found: Record<string, number> = {
    hidden: most(hidden),
    ...stacksOf(info, anatomy),
    heads: most(layers.flatMap((layer) => layer.heads)),
    ffn: most(layers.flatMap((layer) => layer.ffn)),
    vocabulary: vocabulary ?? 0,
    embedding: embeddingWidth ?? 0,
    ...('kvHeads' in info.dimensions ? grouped(graph, anatomy) : {}),
  };
  const known = Object.fromEntries(
    Object.entries(found).filter(
      ([name, figure]) => figure > 0 && (name in info.dimensions || name !== 'embedding' || figure !== found.hidden),
    ),
  );
  return {
    ...info,
    dimensions: { ...info.dimensions, ...known },
    signature: { ...info.signature, states: statesIn(graph, info) },
    ...hiddenStatesIn(graph, info),
  };
};
