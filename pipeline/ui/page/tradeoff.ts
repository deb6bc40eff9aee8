import type { RunPoint, RunRow } from '../shapes.ts';
import { across, around, colour, picture, upwards } from './axes.ts';
import { charted, drawn, part, say } from './dom.ts';

interface Spot {
  readonly row: RunRow;
  readonly point: RunPoint;
  readonly cost: number;
}

/** Names beside each other would hide each other. */
const MOST_NAMES = 12;

const spotsOf = (rows: readonly RunRow[], costOf: (point: RunPoint) => number | null): readonly Spot[] =>
  rows.flatMap((row) =>
    row.points.flatMap((point) => {
      const cost = costOf(point);
      return cost === null || cost <= 0 ? [] : [{ row, point, cost }];
    }),
  );

const told = ({ row, point }: Spot): string =>
  `${row.run}, ${point.stage}: ${point.qualityText}, ${point.bytesText}${point.p50Text === '' ? '' : `, ${point.p50Text} ms`}`;

/** Where a score stands at a cost: both axes know. */
type Place = (cost: number, score: number) => { readonly cx: number; readonly cy: number };

/** The 95 % interval of a score, behind all dots. */
const interval = (place: Place, { point, cost }: Spot, stroke: string): readonly SVGElement[] => {
  if (point.interval === null) return [];
  const [from, to] = [place(cost, point.interval.low), place(cost, point.interval.high)];
  return [drawn('line', { class: 'interval', x1: from.cx, y1: from.cy, x2: to.cx, y2: to.cy, stroke })];
};

const dot = (place: Place, spot: Spot, fill: string, isChosen: boolean): SVGElement =>
  drawn(
    'circle',
    {
      ...{ class: 'point', ...place(spot.cost, spot.point.quality), r: spot.point.headline ? 6 : 3.5, fill },
      ...{ 'data-run': spot.row.id, stroke: isChosen ? 'var(--ink)' : 'none', 'stroke-width': 2 },
    },
    drawn('title', {}, told(spot)),
  );

const name = (place: Place, { row, point, cost }: Spot, isChosen: boolean): SVGElement => {
  const { cx, cy } = place(cost, point.quality);
  return drawn('text', { class: 'name', x: cx + 8, y: cy - 6 }, isChosen ? point.stage : row.run);
};

const chart = (against: string, cost: string, spots: readonly Spot[], selected: string): HTMLElement | null => {
  if (spots.length < 2) return null;
  const metric = spots[0]?.row.metric ?? '';
  const x = around(
    `${cost}, logarithmic`,
    spots.map((spot) => spot.cost),
    true,
  );
  const y = around(
    metric,
    spots.flatMap(({ point }) => [point.quality, ...Object.values(point.interval ?? {})]),
  );
  const place: Place = (cost, score) => ({ cx: across(x, cost), cy: upwards(y, score) });
  const runs = [...new Set(spots.map(({ row }) => row.id))];
  const colourOf = ({ row }: Spot): string => colour(runs.indexOf(row.id));
  const isNamed = ({ row, point }: Spot): boolean =>
    row.id === selected || (point.headline && runs.length <= MOST_NAMES);
  const marks = [
    ...spots.flatMap((spot) => interval(place, spot, colourOf(spot))),
    ...spots.map((spot) => dot(place, spot, colourOf(spot), spot.row.id === selected)),
    ...spots.filter(isNamed).map((spot) => name(place, spot, spot.row.id === selected)),
  ];
  const said = [`${spots.length} models of ${runs.length} runs`, ...spots.filter(isNamed).map(told)].join('; ');
  return charted(`${metric} against ${against}`, `${metric} [95 %] against ${against}: ${said}`, picture(x, y, marks));
};

/** Runs are compared by one metric: that of the run that is shown, or of the newest. */
export const drawTradeoff = (rows: readonly RunRow[], selected: string): void => {
  const judged = rows.filter(({ points }) => points.length > 0);
  const metric = (judged.find(({ id }) => id === selected) ?? judged[0])?.metric ?? '';
  const same = judged.filter((row) => row.metric === metric);
  const charts = [
    chart(
      'size',
      'MB',
      spotsOf(same, ({ bytes }) => bytes / 1e6),
      selected,
    ),
    chart(
      'latency',
      'median ms',
      spotsOf(same, ({ p50 }) => p50),
      selected,
    ),
  ].filter((one) => one !== null);
  part('tradeoff').hidden = charts.length === 0;
  part('tradeoff-charts').replaceChildren(...charts);
  const others = judged.length - same.length;
  const left = others === 0 ? '' : ` ${others} ${others === 1 ? 'run is' : 'runs are'} judged by another metric.`;
  say(
    'tradeoff-note',
    `A point a model, large where its run ships it, with the 95 % interval of its score; a click shows the run. Axes do not start at 0.${left}`,
  );
};
