import { concreteView } from '../../graph/concrete.ts';
import type { Graph } from '../../graph/graph.ts';
import { isRefusal } from '../../ground/errors.ts';
import { type RatedPlace, withDropoutAt } from './insert.ts';
import { type DropoutPlace, dropoutPlaces } from './places.ts';
import type { DropoutKind, DropoutRatios } from './ratios.ts';

/** A graph that drops in training, and where. */
export interface Dropping {
  readonly graph: Graph;
  readonly places: readonly RatedPlace[];
}

/** Where the layers of a graph show that dropout belongs; nowhere where they cannot be made out. */
export const placesIn = (graph: Graph, head: { readonly hasHead: boolean }): readonly DropoutPlace[] => {
  try {
    return dropoutPlaces(concreteView(graph), head);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return [];
  }
};

/**
 * Exporters leave Dropout out, which changes nothing in inference: puts it where the layers of the graph show that it belongs, at
 * these ratios. A head drops before its dense layer only where a ratio is said for that.
 */
export const dropping = (graph: Graph, ratios: DropoutRatios, head: { readonly hasHead: boolean }): Dropping => {
  const places = placesIn(graph, head).flatMap((place): readonly RatedPlace[] => {
    const ratio = ratios[place.kind];
    return ratio === undefined ? [] : [{ ...place, ratio }];
  });
  return places.length === 0 ? { graph, places } : { graph: withDropoutAt(graph, places), places };
};

/** What stands where, for people. */
const called: Readonly<Record<DropoutKind, string>> = {
  ...{ embeddings: 'embeddings', positions: 'positions', attention: 'attention', hidden: 'blocks', neurons: 'neurons' },
  ...{ pooler: 'pooler', classifier: 'classifier' },
};

const countOf = (places: readonly RatedPlace[], kind: DropoutKind): string => {
  const own = places.filter((place) => place.kind === kind);
  const ratio = Number((own[0]?.ratio ?? 0).toFixed(4));
  return `${called[kind]} ${ratio}${own.length > 1 ? ` (${own.length} times)` : ''}`;
};

/** What training does with a graph that exporters took Dropout out of, for logs and reports: a line that these show whole. */
export const droppingRemark = ({ places }: Pick<Dropping, 'places'>, source: string): string => {
  if (places.length === 0)
    return 'its layers show no place for dropout: it trains without any, and a ratio above 0 is refused';
  const kinds = [...new Set(places.map(({ kind }) => kind))];
  return places.every(({ ratio }) => ratio === 0)
    ? `dropout has ${places.length} places in its layers, and drops nothing there unless training is told a ratio: none is in ${source}`
    : `dropout has ${places.length} places in its layers, ratios of ${source}: ${kinds.map((kind) => countOf(places, kind)).join(', ')}`;
};
