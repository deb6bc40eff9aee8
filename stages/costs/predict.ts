import type { Graph } from '../../graph/graph.ts';
import { anatomyOf, type Part } from '../../models/anatomy.ts';
import type { CostTable, Point, WidthCosts } from './table.ts';

/** Between two points on the line through them, beyond the last on that through the last two. */
const between = (points: readonly Point[], units: number): number => {
  const [first] = points;
  if (first === undefined || points.length === 1) return first?.[1] ?? 0;
  const next = points.findIndex(([at]) => at >= units);
  const to = Math.max(1, next < 0 ? points.length - 1 : next);
  const [[a, before], [b, after]] = [points[to - 1] ?? first, points[to] ?? first];
  return Math.max(0, before + ((after - before) * (units - a)) / (b - a));
};

const sumOf = (parts: readonly Part[], points: readonly Point[]): number =>
  parts.reduce((sum, { count }) => sum + between(points, count), 0);

/** The widths of a table on either side of one, and how far it lies towards the narrower. */
const around = (widths: readonly WidthCosts[], hidden: number): readonly [WidthCosts, WidthCosts, number] => {
  const [wider, narrower] = [
    widths.findLast((one) => one.hidden >= hidden) ?? widths[0],
    widths.find((one) => one.hidden <= hidden) ?? widths.at(-1),
  ];
  if (wider === undefined || narrower === undefined) throw new Error('a table of costs has a width');
  const span = wider.hidden - narrower.hidden;
  return [wider, narrower, span === 0 ? 0 : (wider.hidden - hidden) / span];
};

/** What a graph will take of the time of the whole model, by what its blocks cost. */
export const shareOfTime = ({ widths }: CostTable, graph: Graph): number => {
  const { layers, hidden } = anatomyOf(graph);
  const at = ({ rest, layer, heads, ffn }: WidthCosts): number =>
    rest + layers.reduce((sum, own) => sum + layer + sumOf(own.heads, heads) + sumOf(own.ffn, ffn), 0);
  const [wider, narrower, share] = around(widths, Math.max(0, ...hidden.map(({ count }) => count)));
  return (1 - share) * at(wider) + share * at(narrower);
};
