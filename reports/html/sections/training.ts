import { percent, seconds, whole } from '../../figures.ts';
import { trainingMetric, type Written } from '../../metric.ts';
import type { Report, StageReport, TrainingReport } from '../../report.ts';
import { html } from '../html.ts';
import { type Chart, figure } from '../picture.ts';
import { table } from '../table.ts';
import { lines, thinned } from './curves.ts';
import type { Section } from './section.ts';

type CurvePoint = TrainingReport['curve'][number];

interface Trained {
  readonly stage: StageReport;
  readonly training: TrainingReport;
}

const chartOf = (
  title: string,
  trained: readonly Trained[],
  names: readonly string[],
  figure: (point: CurvePoint) => number | undefined,
  { factor = 1, marked = false }: { readonly factor?: number; readonly marked?: boolean } = {},
): Chart[] => {
  const points = trained.flatMap(({ stage, training }) =>
    thinned(training.curve.filter((point) => Number.isFinite(figure(point)))).map((point) => ({
      ...{ line: stage.id, epoch: point.epoch },
      value: factor * (figure(point) ?? 0),
    })),
  );
  return lines(title, points, names, marked);
};

const termNames = ({ curve }: TrainingReport): readonly string[] => [
  ...new Set(curve.flatMap(({ terms = {} }) => Object.keys(terms))),
];

/** What each loss came to where a training had several: some are left out on the way, and the sum shows none of them. */
const termCharts = (trained: readonly Trained[]): Chart[] =>
  trained.flatMap(({ stage, training }) => {
    const points = thinned(training.curve).flatMap(({ epoch, terms = {} }) =>
      Object.entries(terms).map(([line, value]) => ({ line, epoch, value })),
    );
    return lines(`Losses of ${stage.id}`, points, termNames(training));
  });

/** The last value of each loss, in the order in which they came. */
const lastTerms = (training: TrainingReport): string =>
  termNames(training)
    .map(
      (name) =>
        `${name} ${training.curve.findLast(({ terms }) => terms?.[name] !== undefined)?.terms?.[name]?.toFixed(3)}`,
    )
    .join(', ');

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

/** What each training came to. */
const rowsOf = (trained: readonly Trained[], metrics: readonly Written[]) =>
  table<Trained>(
    [
      { title: 'stage', cell: ({ stage }) => stage.id },
      { title: 'epochs', cell: ({ training }) => `${Number(training.epochs.toFixed(2))}` },
      { title: 'steps', cell: ({ training }) => whole(training.steps) },
      { title: 'first loss', cell: ({ training }) => training.curve[0]?.loss.toFixed(3) ?? '' },
      { title: 'last loss', cell: ({ training }) => training.curve.at(-1)?.loss.toFixed(3) ?? '' },
      ...(trained.some(({ training }) => termNames(training).length > 0)
        ? [{ title: 'each loss at last', cell: ({ training }: Trained) => lastTerms(training) }]
        : []),
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

/** Loss and score on validation texts as stages learned, and how fast they did. */
export const trainingSection = async (report: Report): Promise<Section | null> => {
  const trained = report.stages.flatMap((stage) =>
    stage.training === null ? [] : [{ stage, training: stage.training }],
  );
  if (trained.every(({ training }) => training.curve.length === 0)) return null;
  const names = report.stages.map(({ id }) => id);
  const metrics = metricsOf(report, trained);
  return {
    id: 'training',
    title: 'Training',
    body: html`${await figure({
      caption:
        'Losses of different kinds of training (labels, teacher, hidden states) are not comparable with each other; figures on validation texts are.',
      summary: `Training curves of ${trained.map(({ stage }) => stage.id).join(', ')}.`,
      charts: [
        ...chartOf('Training loss', trained, names, ({ loss }) => loss),
        ...termCharts(trained),
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
      table: rowsOf(trained, metrics),
    })}`,
  };
};
