import { bytes, milliseconds, percent, range } from '../../figures.ts';
import type { Report, StageReport } from '../../report.ts';
import { judged } from '../../verdict.ts';
import { html } from '../html.ts';
import { type Chart, colours, figure, ink, muted } from '../picture.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

interface Point {
  readonly stage: string;
  readonly cost: number;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  /** No other point is as cheap and as accurate. */
  readonly best: boolean;
}

const pointsOf = (stages: readonly StageReport[], costOf: (stage: StageReport) => number | undefined): Point[] => {
  const all = stages.flatMap((stage) => {
    const cost = costOf(stage);
    if (stage.quality === null || cost === undefined || !(cost > 0)) return [];
    const { accuracy, accuracyInterval } = stage.quality;
    return [
      {
        stage: stage.id,
        cost,
        accuracy: 100 * accuracy,
        low: 100 * accuracyInterval.low,
        high: 100 * accuracyInterval.high,
      },
    ];
  });
  const beats = (a: { cost: number; accuracy: number }, b: { cost: number; accuracy: number }): boolean =>
    a.cost <= b.cost && a.accuracy >= b.accuracy && (a.cost < b.cost || a.accuracy > b.accuracy);
  return all.map((point) => ({ ...point, best: !all.some((other) => beats(other, point)) }));
};

/** Where a point stands between the cheapest (0) and the dearest (1), on a logarithmic axis. */
const position = ({ cost }: Point, points: readonly Point[]): number => {
  const logs = points.map((point) => Math.log(point.cost));
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  return most === least ? 0 : (Math.log(cost) - least) / (most - least);
};

const chartOf = (title: string, axis: string, points: readonly Point[], names: readonly string[]): Chart => {
  const x = {
    field: 'cost',
    type: 'quantitative',
    scale: { type: 'log', nice: true, padding: 16 },
    axis: { title: axis, grid: false, tickCount: 5, labelOverlap: true, format: '~g' },
  } as const;
  const y = {
    type: 'quantitative',
    scale: { zero: false, padding: 8 },
    axis: { title: 'accuracy %', tickCount: 5 },
  } as const;
  const color = { field: 'stage', type: 'nominal', scale: colours(names), legend: null } as const;
  return {
    title,
    height: 260,
    spec: {
      data: { values: points.map((point) => ({ ...point, right: position(point, points) > 0.5 })) },
      layer: [
        {
          transform: [{ filter: 'datum.best' }],
          mark: { type: 'line', interpolate: 'step-after', color: muted, strokeDash: [4, 3], strokeWidth: 1.5 },
          encoding: { x, y: { ...y, field: 'accuracy' } },
        },
        {
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
        },
        {
          mark: { type: 'point', filled: true, size: 70, opacity: 1 },
          encoding: { x, y: { ...y, field: 'accuracy' }, color },
        },
        ...([false, true] as const).map(
          (right) =>
            ({
              transform: [{ filter: `datum.right === ${right}` }],
              mark: {
                type: 'text',
                align: right ? 'right' : 'left',
                dx: right ? -7 : 7,
                dy: -7,
                color: ink,
                limit: 120,
              },
              encoding: { x, y: { ...y, field: 'accuracy' }, text: { field: 'stage' } },
            }) as const,
        ),
      ],
    },
  };
};

const listed = (points: readonly Point[]): string =>
  points
    .filter(({ best }) => best)
    .toSorted((a, b) => a.cost - b.cost)
    .map(({ stage }) => stage)
    .join(', ');

/** Accuracy against what it costs, with intervals and the line of the stages that nothing beats in both. */
export const tradeoffSection = async (report: Report): Promise<Section | null> => {
  const stages = judged(report);
  const bySize = pointsOf(stages, ({ model }) => (model === null ? undefined : model.bytes / 1e6));
  const byTime = pointsOf(stages, ({ latency }) => latency[0]?.p50Ms);
  if (bySize.length < 2) return null;
  const names = report.stages.map(({ id }) => id);
  const charts = [chartOf('Accuracy against size', 'MB on disk, logarithmic', bySize, names)];
  if (byTime.length > 1) charts.push(chartOf('Accuracy against latency', 'median ms, logarithmic', byTime, names));
  const inBoth = (id: string, points: readonly Point[]): string =>
    points.some((p) => p.stage === id && p.best) ? 'yes' : 'no';
  const rows = table<StageReport>(
    [
      { title: 'stage', cell: ({ id }) => id },
      {
        title: 'accuracy % [95 %]',
        cell: ({ quality }) =>
          quality === null ? '' : `${percent(quality.accuracy)} ${range(quality.accuracyInterval, percent)}`,
      },
      { title: 'bytes', cell: ({ model }) => (model === null ? '' : bytes(model.bytes)) },
      { title: 'unbeaten in size', cell: ({ id }) => inBoth(id, bySize) },
      { title: 'p50 ms', cell: ({ latency: [cell] }) => (cell === undefined ? '' : milliseconds(cell.p50Ms)) },
      ...(byTime.length > 1
        ? [{ title: 'unbeaten in latency', cell: ({ id }: StageReport) => inBoth(id, byTime) }]
        : []),
    ],
    stages,
    'Accuracy, size and latency',
  );
  return {
    id: 'tradeoff',
    title: 'Accuracy against size and latency',
    body: html`${await figure({
      caption: 'Bars are 95 % intervals. The dashed line joins the stages that no other beats in both directions.',
      summary: `Accuracy against size and latency. Unbeaten in size: ${listed(bySize)}. Unbeaten in latency: ${listed(byTime)}.`,
      charts,
      table: rows,
    })}`,
  };
};
