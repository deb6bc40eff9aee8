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

const chart = (title: string, cost: string, spots: readonly Spot[], selected: string): HTMLElement | null => {
  if (spots.length < 2) return null;
  const metric = spots[0]?.row.metric ?? '';
  const x = around(
    `${cost}, logarithmic`,
    spots.map((spot) => spot.cost),
    true,
  );
  const y = around(
    metric,
    spots.map(({ point }) => point.quality),
  );
  const runs = [...new Set(spots.map(({ row }) => row.id))];
  const marks = spots.flatMap((spot) => {
    const { row, point } = spot;
    const [cx, cy] = [across(x, spot.cost), upwards(y, point.quality)];
    const isChosen = row.id === selected;
    const mark = drawn(
      'circle',
      {
        class: 'point',
        cx,
        cy,
        r: point.headline ? 6 : 3.5,
        fill: colour(runs.indexOf(row.id)),
        'data-run': row.id,
        stroke: isChosen ? 'var(--ink)' : 'none',
        'stroke-width': 2,
      },
      drawn('title', {}, told(spot)),
    );
    const named = isChosen || (point.headline && runs.length <= MOST_NAMES);
    const name = isChosen ? point.stage : row.run;
    return named ? [mark, drawn('text', { class: 'name', x: cx + 8, y: cy - 6 }, name)] : [mark];
  });
  return charted(title, `${title}: ${spots.length} models of ${runs.length} runs`, picture(x, y, marks));
};

/** Runs are compared by one metric: that of the run that is shown, or of the newest. */
export const drawTradeoff = (rows: readonly RunRow[], selected: string): void => {
  const judged = rows.filter(({ points }) => points.length > 0);
  const metric = (judged.find(({ id }) => id === selected) ?? judged[0])?.metric ?? '';
  const same = judged.filter((row) => row.metric === metric);
  const charts = [
    chart(
      `${metric} against size`,
      'MB',
      spotsOf(same, ({ bytes }) => bytes / 1e6),
      selected,
    ),
    chart(
      `${metric} against latency`,
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
    `A point a model, large where its run ships it; a click shows the run. Axes do not start at 0.${left}`,
  );
};
