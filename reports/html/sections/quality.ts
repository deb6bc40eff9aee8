import { NONE, percent, range, whole } from '../../figures.ts';
import { metricOf } from '../../metric.ts';
import type { Comparison, QualityReport, Report } from '../../report.ts';
import { html } from '../html.ts';
import { type HtmlColumn, table } from '../table.ts';
import type { Section } from './section.ts';

/** A figure that may be absent. */
const written = (figure: number | null | undefined, write: (x: number) => string): string =>
  figure == null ? '' : write(figure);

type Compared = Comparison & { readonly id: string };

const rightAndWrong: readonly HtmlColumn<Compared>[] = [
  { title: 'gained', cell: ({ mcnemar }) => written(mcnemar?.gained, whole) },
  { title: 'lost', cell: ({ mcnemar }) => written(mcnemar?.lost, whole) },
  { title: 'p', cell: ({ mcnemar }) => written(mcnemar?.p, (p) => (p < 0.001 ? '< 0.001' : p.toFixed(3))) },
  { title: 'agrees %', cell: ({ agreement }) => written(agreement, percent) },
  { title: 'KL nats', cell: ({ kl }) => written(kl, (nats) => nats.toFixed(4)) },
];

/** How each stage compares with the reference and with the stage it came from. */
export const comparisonsSection = (report: Report): Section | null => {
  const rows: readonly Compared[] = report.stages.flatMap(({ id, comparisons }) =>
    comparisons.filter(({ versus }) => versus !== id).map((one) => ({ id, ...one })),
  );
  if (rows.length === 0) return null;
  const { changes, writeChange } = metricOf(report);
  return {
    id: 'comparisons',
    title: 'Paired comparisons',
    body: table(
      [
        { title: 'stage', cell: ({ id }) => id },
        { title: 'against', text: true, cell: ({ versus, role }) => html`${versus} <small>${role}</small>` },
        {
          title: `${changes} [95 %]`,
          cell: ({ accuracy }) => `${writeChange(accuracy.estimate)} ${range(accuracy, writeChange)}`,
        },
        ...(report.data.task === 'features' ? [] : rightAndWrong),
      ],
      rows,
      'Every stage against the reference and against the stage it came from',
    ),
  };
};

type Judged = QualityReport & { readonly id: string };

const ofClasses: readonly HtmlColumn<Judged>[] = [
  {
    title: 'macro F1 % [95 %]',
    cell: ({ macroF1, macroF1Interval }) =>
      `${written(macroF1, percent)} ${macroF1Interval === null ? '' : range(macroF1Interval, percent)}`,
  },
  { title: 'loss', cell: ({ loss }) => (loss === null ? NONE : loss.toFixed(3)) },
  { title: 'calibration error %', cell: ({ calibrationError: error }) => (error === null ? NONE : percent(error)) },
];

const ofVectors: readonly HtmlColumn<Judged>[] = [
  { title: 'rank correlation of pairs', cell: ({ spearman }) => written(spearman, (x) => x.toFixed(4)) },
];

/** Quality of every stage with intervals. */
export const qualitySection = (report: Report): Section | null => {
  const rows: readonly Judged[] = report.stages.flatMap(({ id, quality }) =>
    quality === null ? [] : [{ id, ...quality }],
  );
  if (rows.length === 0) return null;
  const { title, write, examples, inputs } = metricOf(report);
  return {
    id: 'quality',
    title: 'Quality',
    body: table(
      [
        { title: 'stage', cell: ({ id }) => id },
        {
          title: `${title} [95 %]`,
          cell: ({ accuracy, accuracyInterval }) => `${write(accuracy)} ${range(accuracyInterval, write)}`,
        },
        ...(report.data.task === 'features' ? ofVectors : ofClasses),
        { title: examples, cell: (quality) => whole(quality.examples) },
        ...(inputs === examples
          ? []
          : [
              {
                title: 'worth of independent ones',
                cell: ({ effectiveExamples }: Judged) => written(effectiveExamples, whole),
              },
            ]),
      ],
      rows,
      'Quality of every evaluated stage',
    ),
  };
};
