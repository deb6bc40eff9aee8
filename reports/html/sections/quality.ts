import type { Bounds } from '../../../data/statistics/intervals.ts';
import { NONE } from '../../../ground/metrics/written.ts';
import { percent, range, whole } from '../../figures.ts';
import { metricOf, type Primary } from '../../metric.ts';
import type { Comparison, QualityReport, Report } from '../../report.ts';
import { ABSENT, rowsOf } from '../../rows.ts';
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
          cell: ({ score }) => `${writeChange(score.estimate)} ${range(score, writeChange)}`,
        },
        ...(rows.every(({ mcnemar }) => mcnemar === null) ? [] : rightAndWrong),
      ],
      rows,
      'Every stage against the reference and against the stage it came from',
    ),
  };
};

type Judged = QualityReport & { readonly id: string; readonly isBaseline: boolean };

const bounded = (value: number, bounds: Bounds, write: (x: number) => string): string => {
  if (Number.isNaN(value)) return ABSENT;
  return Number.isNaN(bounds.low) ? write(value) : `${write(value)} ${range(bounds, write)}`;
};

/** Further metrics, with intervals where any stage has one. */
const moreColumns = (rows: readonly Judged[], { more }: Primary): readonly HtmlColumn<Judged>[] =>
  more.map(({ metric: { name }, title, write }) => {
    const bounded = rows.some((row) => row.more[name]?.interval != null);
    return {
      title: bounded ? `${title} [95 %]` : title,
      cell: (row) => {
        const figure = row.more[name];
        if (figure === undefined) return row.isBaseline ? ABSENT : NONE;
        return `${write(figure.value)}${figure.interval === null ? '' : ` ${range(figure.interval, write)}`}`;
      },
    };
  });

/** Quality of every stage with intervals. */
export const qualitySection = (report: Report): Section | null => {
  const judged = rowsOf(report).flatMap(({ stage: { id, quality }, kind }): Judged[] =>
    quality === null ? [] : [{ ...quality, id, isBaseline: kind === 'baseline' }],
  );
  if (judged.every(({ isBaseline }) => isBaseline)) return null;
  const metric = metricOf(report);
  const { title, write, examples, inputs } = metric;
  return {
    id: 'quality',
    title: 'Quality',
    body: table(
      [
        { title: 'stage', cell: ({ id }) => id },
        {
          title: `${title} [95 %]`,
          cell: ({ score, scoreInterval }) => bounded(score, scoreInterval, write),
        },
        ...moreColumns(judged, metric),
        { title: examples, cell: ({ examples: n, isBaseline }) => (isBaseline ? ABSENT : whole(n)) },
        ...(inputs === examples
          ? []
          : [
              {
                title: 'worth of independent ones',
                cell: ({ effectiveExamples }: Judged) => written(effectiveExamples, whole),
              },
            ]),
      ],
      judged,
      'Quality of every evaluated stage, and of what it has to beat',
    ),
  };
};
