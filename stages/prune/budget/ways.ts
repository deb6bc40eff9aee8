import type { Anatomy, Layer, Part } from '../../../models/anatomy.ts';
import type { Item, Rung } from '../../knapsack.ts';

/** What one part with so many units left, or a graph without one layer, adds: to what is taken (less than nothing), and to the harm. */
export interface Effect {
  readonly takes: number;
  readonly harm: number;
}

/** A part at each of its levels, all else as it is. */
export interface PartWays {
  readonly part: Part;
  readonly levels: readonly (Effect & { readonly level: number })[];
}

/** One way of having the layers of an item: how many units stay of each part, or nothing of them. */
export interface Way extends Rung {
  readonly left: ReadonlyMap<Part, number> | 'gone';
}

/** Layers that share parts are one item; most are items of their own. */
export interface LayerItem extends Item<string, Way> {
  readonly layers: readonly number[];
  /** What the cheapest way adds to what is taken. */
  readonly takes: number;
}

type Draft = Effect & { readonly left: Way['left'] };

/** Of ways that take as much or more and harm as much or more than another, none is ever chosen. */
const useful = (ways: readonly Draft[]): readonly Draft[] => {
  let least = Number.POSITIVE_INFINITY;
  return ways
    .toSorted((a, b) => a.takes - b.takes || a.harm - b.harm)
    .filter(({ harm }) => {
      const isLess = harm < least;
      least = Math.min(least, harm);
      return isLess;
    });
};

const nothing: readonly Draft[] = [{ takes: 0, harm: 0, left: new Map() }];

/** Every useful choice of levels of several parts together: effects add up. */
const together = (parts: readonly PartWays[]): readonly Draft[] =>
  parts.reduce<readonly Draft[]>(
    (ways, { part, levels }) =>
      useful(
        ways.flatMap(({ left, ...way }) =>
          levels.map(({ level, takes, harm }) => ({
            ...{ takes: way.takes + takes, harm: way.harm + harm },
            left: new Map([...(left === 'gone' ? [] : left), [part, level]]),
          })),
        ),
      ),
    nothing,
  );

/** Layers by the parts that they share. */
const sharing = ({ layers }: Anatomy, parts: readonly PartWays[]): readonly (readonly number[])[] => {
  const groups = new Map(layers.map(({ index }) => [index, new Set([index])]));
  for (const { part } of parts) {
    const joined = new Set(part.layers.flatMap((layer) => [...(groups.get(layer) ?? [layer])]));
    for (const layer of joined) groups.set(layer, joined);
  }
  return [...new Set(groups.values())].map((group) => [...group].toSorted((a, b) => a - b));
};

/** Ways of having all layers. Layers that share nothing may be left out where that was measured. */
export const itemsOf = (
  anatomy: Anatomy,
  parts: readonly PartWays[],
  without: ReadonlyMap<number, Effect>,
): readonly LayerItem[] =>
  sharing(anatomy, parts).map((layers) => {
    const own = parts.filter(({ part }) => part.layers.some((layer) => layers.includes(layer)));
    const [only] = layers;
    const gone = layers.length > 1 || only === undefined ? undefined : without.get(only);
    const ways = useful([...together(own), ...(gone === undefined ? [] : [{ ...gone, left: 'gone' as const }])]);
    const takes = ways[0]?.takes ?? 0;
    return {
      ...{ name: `layers ${layers.join(', ')}`, layers, takes },
      rungs: ways.map((way) => ({ cost: way.takes - takes, harm: way.harm, left: way.left })),
    };
  });

/** Layers that may be left out: those that leave the stream as wide as it is. */
export const openLayers = ({ layers }: Anatomy): readonly Layer[] =>
  layers.filter(({ inputWidth, outputWidth }) => inputWidth === outputWidth);
