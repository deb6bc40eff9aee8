import { applyCuts } from '../../graph/cut/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { stageError } from '../../ground/errors.ts';
import type { Json } from '../../ground/json.ts';
import { anatomyOf, bypassLayer, type Part } from '../../models/anatomy.ts';

export interface CutResult {
  readonly graph: Graph;
  readonly metrics: { readonly [key: string]: Json };
}

/** Removes all units of parts but those that are chosen. */
export const cutParts = (graph: Graph, chosen: ReadonlyMap<Part, readonly number[]>): Graph => {
  const cut = [...chosen].flatMap(([part, kept]) =>
    part.group === undefined || kept.length === part.count ? [] : [{ group: part.group, kept }],
  );
  return applyCuts(
    graph,
    cut.map(({ group }) => group),
    cut.map(({ kept }) => kept),
  );
};

/** Removes every layer that is not named, from the last to the first, so that numbers stay what they are. */
export const keepLayers = (given: Graph, count: number, kept: readonly number[]): CutResult => {
  let graph = given;
  for (let number = count - 1; number >= 0; number--) {
    const layer = anatomyOf(graph).layers[number];
    if (kept.includes(number) || layer === undefined) continue;
    if (layer.inputWidth !== layer.outputWidth) {
      throw stageError(
        `keep.layers: layer ${number} turns a stream of ${layer.inputWidth} channels into one of ` +
          `${layer.outputWidth}, so it cannot be left out; keep it`,
      );
    }
    graph = bypassLayer(graph, layer);
  }
  if (kept.length === count) return { graph, metrics: {} };
  return { graph, metrics: { layers: { from: count, to: kept.length, kept: [...kept] } } };
};
