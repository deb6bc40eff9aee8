import { type Graph, value } from '../../graph/graph.ts';
import { depthsOf } from '../../models/anatomy/depth.ts';

/** How deep each weight of a fused graph lies ('embeddings', 'layers.0', ..., 'head'): what was packed of several lies as deep as the first. */
export const depthIn = (source: Graph, fused: Graph): ((weight: string) => string | undefined) => {
  const { groups, of } = depthsOf(source);
  return (weight) => {
    const own = value(weight);
    const names = [own, ...(fused.origins?.get(own) ?? [])];
    const [first] = names.flatMap((name) => of.get(name) ?? []);
    return first === undefined ? undefined : groups[first];
  };
};
