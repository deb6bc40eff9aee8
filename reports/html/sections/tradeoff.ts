import { isBetter } from '../../../ground/metrics/metric.ts';
import { bestBaseline, scoreText } from '../../columns.ts';
import { bytes } from '../../figures.ts';
import { metricOf, type Primary } from '../../metric.ts';
import type { Report, StageReport } from '../../report.ts';
import { isControl } from '../../rows.ts';
import { p50Text, undisturbed } from '../../speed.ts';
import { capital } from '../../text.ts';
import { judged } from '../../verdict.ts';
import { html } from '../html.ts';
import { type Chart, colours, figure, ink, muted, notFromZero } from '../picture.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

interface Point {
  readonly stage: string;
  readonly cost: number;
  readonly figure: number;
  readonly low: number;
  readonly high: number;
  /** No other point is as cheap and as good. */
  readonly best: boolean;
}

const pointsOf = (
  stages: readonly StageReport[],
  { factor, metric }: Primary,
  costOf: (stage: StageReport) => number | undefined,
): Point[] => {
  const all = stages.flatMap((stage) => {
    const cost = costOf(stage);
    if (stage.quality === null || cost === undefined || !(cost > 0)) return [];
    const { score, scoreInterval } = stage.quality;
    return [
      {
        stage: stage.id,
        cost,
        figure: factor * score,
        low: factor * scoreInterval.low,
        high: factor * scoreInterval.high,
      },
    ];
  });
  const beats = (a: { cost: number; figure: number }, b: { cost: number; figure: number }): boolean =>
    a.cost <= b.cost &&
    !isBetter(metric, b.figure, a.figure) &&
    (a.cost < b.cost || isBetter(metric, a.figure, b.figure));
  return all.map((point) => ({ ...point, best: !all.some((other) => beats(other, point)) }));
};

/** A logarithmic axis with room for names right of the dearest point. */
const roomy = (points: readonly Point[]): [number, number] => {
  const costs = points.map(({ cost }) => cost);
  const [least, most] = [Math.min(...costs), Math.max(...costs)];
  const spread = (1.5 * most) / least;
  return [least / spread ** 0.08, most * spread ** 0.35];
};

interface Axes {
  readonly cost: string;
  readonly quality: string;
}

const chartOf = (title: string, axes: Axes, points: readonly Point[], names: readonly string[]): Chart => {
  const x = {
    field: 'cost',
    type: 'quantitative',
    scale: { type: 'log', domain: roomy(points), nice: false },
    axis: { title: axes.cost, grid: false, tickCount: 5, labelOverlap: true, format: '~g' },
  } as const;
  const y = {
    type: 'quantitative',
    scale: { zero: false, padding: 8 },
    axis: { title: notFromZero(axes.quality), tickCount: 5 },
  } as const;
  const color = { field: 'stage', type: 'nominal', scale: colours(names), legend: null } as const;
  return {
    title,
    height: 260,
    spec: {
      data: { values: [...points] },
      layer: [
        {
          transform: [{ filter: 'datum.best' }],
          mark: { type: 'line', interpolate: 'step-after', color: muted, strokeDash: [4, 3], strokeWidth: 1.5 },
          encoding: { x, y: { ...y, field: 'figure' } },
        },
        {
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
        },
        {
          mark: { type: 'point', filled: true, size: 70, opacity: 1 },
          encoding: { x, y: { ...y, field: 'figure' }, color },
        },
        {
          mark: { type: 'text', align: 'left', dx: 7, dy: -7, color: ink, limit: 150 },
          encoding: { x, y: { ...y, field: 'figure' }, text: { field: 'stage' } },
        },
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

/** Controls are nothing to choose; stages that a baseline beats would press all others into a corner: they are named instead. */
const worthShowing = (report: Report): { shown: readonly StageReport[]; left: readonly StageReport[] } => {
  const all = judged(report).filter((stage) => !isControl(report, stage));
  const floor = bestBaseline(report);
  const { metric } = metricOf(report);
  const shown = all.filter(
    ({ quality }) => quality !== null && !(floor !== undefined && isBetter(metric, floor, quality.score)),
  );
  return shown.length < 2 ? { shown: all, left: [] } : { shown, left: all.filter((stage) => !shown.includes(stage)) };
};

const leftOut = (left: readonly StageReport[], { write, unit }: Primary): string =>
  left.length === 0
    ? ''
    : ` Not shown, being worse than the best baseline: ${left.map(({ id, quality }) => `${id} (${write(quality?.score ?? 0)}${unit})`).join(', ')}.`;

/** Quality against what it costs, with intervals and the line of the stages that nothing beats in both. */
export const tradeoffSection = async (report: Report): Promise<Section | null> => {
  const { shown: stages, left } = worthShowing(report);
  const metric = metricOf(report);
  const bySize = pointsOf(stages, metric, ({ model }) => (model === null ? undefined : model.bytes / 1e6));
  const byTime = pointsOf(stages, metric, ({ latency }) => undisturbed(latency[0], ({ p50Ms }) => p50Ms) ?? undefined);
  if (bySize.length < 2) return null;
  const names = report.stages.map(({ id }) => id);
  const quality = metric.title;
  const said = capital(metric.words);
  const charts = [chartOf(`${said} against size`, { cost: 'MB on disk, logarithmic', quality }, bySize, names)];
  if (byTime.length > 1) {
    charts.push(chartOf(`${said} against latency`, { cost: 'median ms, logarithmic', quality }, byTime, names));
  }
  const inBoth = (id: string, points: readonly Point[]): string =>
    points.some((p) => p.stage === id && p.best) ? 'yes' : 'no';
  const rows = table<StageReport>(
    [
      { title: 'stage', cell: ({ id }) => id },
      {
        title: `${metric.title} [95 %]`,
        cell: (stage) => scoreText(stage, metric),
      },
      { title: 'bytes', cell: ({ model }) => (model === null ? '' : bytes(model.bytes)) },
      { title: 'unbeaten in size', cell: ({ id }) => inBoth(id, bySize) },
      { title: 'p50 ms', cell: ({ latency: [cell] }) => p50Text(cell) },
      ...(byTime.length > 1
        ? [{ title: 'unbeaten in latency', cell: ({ id }: StageReport) => inBoth(id, byTime) }]
        : []),
    ],
    judged(report),
    `${said}, size and latency`,
  );
  return {
    id: 'tradeoff',
    title: `${said} against size and latency`,
    body: html`${await figure({
      caption: `Bars are 95 % intervals. The dashed line joins the stages that no other beats in both directions.${leftOut(left, metric)}`,
      summary: `${said} against size and latency. Unbeaten in size: ${listed(bySize)}. Unbeaten in latency: ${listed(byTime)}.`,
      charts,
      table: rows,
    })}`,
  };
};
