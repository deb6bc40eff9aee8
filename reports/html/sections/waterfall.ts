import { isBetter } from '../../../ground/metrics/metric.ts';
import { bytes, count, milliseconds, speedup } from '../../figures.ts';
import { metricOf, type Primary } from '../../metric.ts';
import type { Report, StageReport } from '../../report.ts';
import { isControl } from '../../rows.ts';
import { undisturbed } from '../../speed.ts';
import { capital } from '../../text.ts';
import { stageOf } from '../../verdict.ts';
import { html } from '../html.ts';
import { bad, type Chart, figure, good, ink, muted, notFromZero } from '../picture.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

interface Step {
  readonly stage: StageReport;
  readonly before: StageReport | undefined;
}

interface Measure {
  readonly title: string;
  readonly unit: string;
  /** A quality is told as a difference from where it was, a cost as a ratio and from 0 on. */
  readonly kind: 'cost' | 'quality';
  readonly better: 'higher' | 'lower';
  value(stage: StageReport): number | undefined;
  write(value: number): string;
}

const cost = { kind: 'cost', better: 'lower' } as const;

const costs: readonly Measure[] = [
  {
    title: 'Size',
    unit: 'MB',
    ...cost,
    value: ({ model }) => (model === null ? undefined : model.bytes / 1e6),
    write: (x) => bytes(1e6 * x),
  },
  {
    title: 'Multiply-accumulates',
    unit: 'million',
    ...cost,
    value: ({ model }) => (model === null ? undefined : model.macs / 1e6),
    write: (x) => count(1e6 * x),
  },
  {
    title: 'Median latency',
    unit: 'ms',
    ...cost,
    value: ({ latency: [cell] }) => undisturbed(cell, ({ p50Ms }) => p50Ms) ?? undefined,
    write: (x) => `${milliseconds(x)} ms`,
  },
];

const qualityOf = ({ words, unit, factor, write, metric }: Primary): Measure => ({
  title: capital(words),
  unit: unit.trim(),
  ...{ kind: 'quality', better: metric.better },
  value: ({ quality }) => (quality === null ? undefined : factor * quality.score),
  write: (x) => `${write(x / factor)}${unit}`,
});

/** The stage that a stage's weights came from. */
const origin = (report: Report, { inputs }: StageReport): StageReport | undefined => stageOf(report, inputs.model);

const rowsOf = ({ better, value, write }: Measure, steps: readonly Step[]) =>
  steps.flatMap(({ stage, before }) => {
    const after = value(stage);
    if (after === undefined) return [];
    const from = before === undefined ? undefined : value(before);
    const isWorse = from !== undefined && isBetter({ better }, from, after);
    return [{ stage: stage.id, from: from ?? after, after, color: isWorse ? bad : good, label: write(after) }];
  });

const chartOf = (measure: Measure, steps: readonly Step[]): Chart[] => {
  const { title, unit, kind } = measure;
  const rows = rowsOf(measure, steps);
  if (rows.length === 0) return [];
  const y = {
    field: 'stage',
    type: 'nominal',
    sort: null,
    scale: { paddingInner: 0.4 },
    axis: { title: null },
  } as const;
  const x = {
    type: 'quantitative',
    axis: { title: kind === 'quality' ? notFromZero(unit) : unit, tickCount: 4, grid: true },
  } as const;
  const color = { field: 'color', type: 'nominal', scale: null } as const;
  const largest = Math.max(...rows.flatMap(({ from, after }) => [from, after]));
  const zooms = kind === 'quality';
  const smallest = zooms ? Math.min(...rows.flatMap(({ from, after }) => [from, after])) : 0;
  const domain = [zooms ? smallest - 0.08 * (largest - smallest) : 0, largest + 0.3 * (largest - smallest)];
  const scaled = { ...x, scale: largest > smallest ? { domain, nice: false } : { zero: !zooms } };
  return [
    {
      title,
      height: 26 * rows.length,
      spec: {
        data: { values: rows },
        layer: [
          {
            mark: { type: 'bar', height: 8, opacity: 0.55 },
            encoding: { y, x: { ...scaled, field: 'from' }, x2: { field: 'after' }, color },
          },
          {
            mark: { type: 'tick', thickness: 3, height: 14, color: ink },
            encoding: { y, x: { ...scaled, field: 'after' } },
          },
          {
            mark: { type: 'text', align: 'left', dx: 6, color: muted },
            encoding: { y, x: { ...scaled, field: 'largest' }, text: { field: 'label' } },
            transform: [{ calculate: 'max(datum.from, datum.after)', as: 'largest' }],
          },
        ],
      },
    },
  ];
};

const change = (step: Step, { value }: Measure, write: (before: number, after: number) => string): string => {
  const [before, after] = [step.before === undefined ? undefined : value(step.before), value(step.stage)];
  return before === undefined || after === undefined ? '' : write(before, after);
};

const ratio = (before: number, after: number): string => speedup(after / before);

/** What each stage did to bytes, work, time and quality of the model it took. */
export const waterfallSection = async (report: Report): Promise<Section | null> => {
  const steps = report.stages
    .filter((stage) => stage.model !== null && !isControl(report, stage))
    .map((stage) => ({ stage, before: origin(report, stage) }));
  const changed = steps.filter(({ before }) => before !== undefined);
  if (changed.length === 0) return null;
  const metric = metricOf(report);
  const measures = [...costs, qualityOf(metric)];
  const rows = table<Step>(
    [
      { title: 'stage', cell: ({ stage }) => stage.id },
      { title: 'took', text: true, cell: ({ before }) => before?.id ?? '' },
      ...measures.map((measure) => ({
        title: measure.kind === 'quality' ? metric.changes : measure.title.toLowerCase(),
        cell: (step: Step) =>
          change(
            step,
            measure,
            measure.kind === 'quality'
              ? (before, after) => metric.writeChange((after - before) / metric.factor)
              : ratio,
          ),
      })),
    ],
    changed,
    'What each stage changed',
  );
  return {
    id: 'waterfall',
    title: 'What each stage changed',
    body: html`${await figure({
      caption:
        'Each bar runs from the model that a stage took to the one it made (the tick): green for the better, red for the worse.',
      summary: `Bytes, multiply-accumulates, median latency and ${metric.words} before and after ${changed.map(({ stage }) => stage.id).join(', ')}.`,
      charts: measures.flatMap((measure) => chartOf(measure, steps)),
      table: rows,
    })}`,
  };
};
