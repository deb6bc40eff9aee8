import type { Point, WidthCosts } from './table.ts';

/** Shares of the time of the whole model that graphs took in which only one kind of unit is cut, by how many are left. */
type Timed = readonly Point[];

/** What was timed at one width of the stream. */
export interface TimedWidth {
  readonly hidden: number;
  /** With all heads and neurons. */
  readonly all: number;
  /** With so many heads or neurons in each layer, all of the other kind, from the fewest on. */
  readonly heads: Timed;
  readonly ffn: Timed;
  /** With the fewest of both, and the same with one layer alone where others can be left out. */
  readonly least: number;
  readonly one?: number | undefined;
  /** How many attention and feed-forward blocks there are, layers, and how many of these the last graph lacks. */
  readonly blocks: { readonly heads: number; readonly ffn: number; readonly layers: number; readonly gone: number };
}

/** Costs never fall with the units: what a noisy machine says else is noise. */
const rising = (points: readonly Point[]): readonly Point[] => {
  let most = 0;
  return points.map(([units, cost]) => {
    most = Math.max(most, cost);
    return [units, most];
  });
};

/** What each number of units costs beyond the fewest. */
const beyond = (
  timed: Timed,
  all: number,
  most: number,
): { readonly points: readonly Point[]; readonly whole: number } => {
  const [, least = all] = timed[0] ?? [];
  const points = [...timed, [most, all] as const].map(([units, share]): Point => [units, share - least]);
  return { points: rising(points), whole: Math.max(0, all - least) };
};

const scaled = (points: readonly Point[], factor: number): readonly Point[] =>
  points.map(([units, share]) => [units, share * factor]);

/**
 * Costs of one attention, one feed-forward block and one layer from times of whole graphs. Kinds were cut one at a time; what
 * cutting both saves less or more than that is shared out between them, so that the costs add up to both ends.
 */
export const fitted = (timed: TimedWidth, most: { readonly heads: number; readonly ffn: number }): WidthCosts => {
  const { hidden, all, least, one, blocks } = timed;
  const [heads, ffn] = [beyond(timed.heads, all, most.heads), beyond(timed.ffn, all, most.ffn)];
  const apart = heads.whole + ffn.whole;
  const factor = apart === 0 ? 0 : Math.max(0, all - least) / apart;
  const layer = one === undefined || blocks.gone === 0 ? 0 : Math.max(0, (least - one) / blocks.gone);
  return {
    hidden,
    rest: Math.max(0, least - blocks.layers * layer),
    layer,
    heads: scaled(heads.points, factor / Math.max(1, blocks.heads)),
    ffn: scaled(ffn.points, factor / Math.max(1, blocks.ffn)),
  };
};
