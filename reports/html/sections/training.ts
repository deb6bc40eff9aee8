import { percent, seconds, whole } from '../../figures.ts';
import { trainingMetric, type Written } from '../../metric.ts';
import type { Report, StageReport, TrainingReport } from '../../report.ts';
import { html } from '../html.ts';
import { type Chart, colours, figure, notFromZero } from '../picture.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

type CurvePoint = TrainingReport['curve'][number];

interface Trained {
  readonly stage: StageReport;
  readonly training: TrainingReport;
}

/** More points than pixels tell nothing: at most this many a curve, evenly chosen, the last one kept. */
const MOST_POINTS = 150;

const thinned = <T>(curve: readonly T[]): readonly T[] => {
  const stride = Math.ceil(curve.length / MOST_POINTS);
  return curve.filter((_, i) => (curve.length - 1 - i) % stride === 0);
};

const chartOf = (
  title: string,
  trained: readonly Trained[],
  names: readonly string[],
  figure: (point: CurvePoint) => number | undefined,
  { factor = 1, marked = false }: { readonly factor?: number; readonly marked?: boolean } = {},
): Chart[] => {
  const rows = trained.flatMap(({ stage, training }) =>
    thinned(training.curve.filter((point) => Number.isFinite(figure(point)))).map((point) => ({
      stage: stage.id,
      epoch: point.epoch,
      value: factor * (figure(point) ?? 0),
    })),
  );
  if (rows.length === 0) return [];
  const shown = names.filter((name) => rows.some(({ stage }) => stage === name));
  const all = colours(names);
  const palette = { domain: shown, range: shown.map((name) => all.range[names.indexOf(name)] ?? '') };
  return [
    {
      title,
      height: 240,
      spec: {
        data: { values: rows },
        mark: { type: 'line', strokeWidth: 2, point: marked ? { filled: true, size: 36 } : false },
        encoding: {
          x: { field: 'epoch', type: 'quantitative', axis: { title: 'epochs', grid: false, tickCount: 5 } },
          y: {
            field: 'value',
            type: 'quantitative',
            scale: { zero: false },
            axis: { title: notFromZero(''), tickCount: 5 },
          },
          color: { field: 'stage', type: 'nominal', scale: palette },
        },
      },
    },
  ];
};

/** Every metric that some stage was validated by: one for all, unless a stage trains for a task of its own. */
const metricsOf = (report: Report, trained: readonly Trained[]): readonly Written[] => {
  const all = trained.map(({ training }) => trainingMetric(report, training));
  return all.filter(({ metric }, i) => all.findIndex((other) => other.metric === metric) === i);
};

const isOf =
  ({ metric }: Written) =>
  (training: TrainingReport): boolean =>
    training.metric === metric.name;

const lastScore = ({ curve }: TrainingReport, metric: Written): string => {
  const score = curve.findLast((point) => point.score !== undefined)?.score;
  return score === undefined ? '' : metric.write(score);
};

/** Loss and score on validation texts as stages learned, and how fast they did. */
export const trainingSection = async (report: Report): Promise<Section | null> => {
  const trained = report.stages.flatMap((stage) =>
    stage.training === null ? [] : [{ stage, training: stage.training }],
  );
  if (trained.every(({ training }) => training.curve.length === 0)) return null;
  const names = report.stages.map(({ id }) => id);
  const metrics = metricsOf(report, trained);
  const rows = table<Trained>(
    [
      { title: 'stage', cell: ({ stage }) => stage.id },
      { title: 'epochs', cell: ({ training }) => `${Number(training.epochs.toFixed(2))}` },
      { title: 'steps', cell: ({ training }) => whole(training.steps) },
      { title: 'first loss', cell: ({ training }) => training.curve[0]?.loss.toFixed(3) ?? '' },
      { title: 'last loss', cell: ({ training }) => training.curve.at(-1)?.loss.toFixed(3) ?? '' },
      ...metrics.map((metric) => ({
        title: `validation ${metric.title}`,
        cell: ({ training }: Trained) => (isOf(metric)(training) ? lastScore(training, metric) : ''),
      })),
      { title: 'tokens/s', cell: ({ training }) => whole(training.tokensPerSecond) },
      { title: 'padding %', cell: ({ training }) => percent(training.paddingFraction) },
      { title: 'seconds', cell: ({ stage }) => seconds(stage.seconds) },
    ],
    trained,
    'Training by stage',
  );
  return {
    id: 'training',
    title: 'Training',
    body: html`${await figure({
      caption:
        'Losses of different kinds of training (labels, teacher, hidden states) are not comparable with each other; figures on validation texts are.',
      summary: `Training curves of ${trained.map(({ stage }) => stage.id).join(', ')}.`,
      charts: [
        ...chartOf('Training loss', trained, names, ({ loss }) => loss),
        ...metrics.flatMap((metric) =>
          chartOf(
            `Validation ${metric.title}`,
            trained.filter(({ training }) => isOf(metric)(training)),
            names,
            ({ score }) => score,
            { factor: metric.factor, marked: true },
          ),
        ),
      ],
      table: rows,
    })}`,
  };
};
