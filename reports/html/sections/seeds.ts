import type { Spread } from '../../../data/statistics/spread.ts';
import { cellAt, cellsOf } from '../../cells.ts';
import { bytes, milliseconds, percent, plusMinus, speedup } from '../../figures.ts';
import { metricOf, type Primary, type Written } from '../../metric.ts';
import type { Report, SeedsReport, SeedsStage } from '../../report.ts';
import { seedFolder } from '../../seed-folder.ts';
import { capital } from '../../text.ts';
import { type Html, html, nothing } from '../html.ts';
import { colours, figure, notFromZero } from '../picture.ts';
import { type HtmlColumn, table } from '../table.ts';
import type { Section } from './section.ts';

type Write = (x: number) => string;

const mean = (spread: Spread | null | undefined, write: Write): string =>
  spread == null ? '' : plusMinus(spread, write);

/** The worst value and, smaller, whose it is. */
const worst = (spread: Spread | null, write: Write): Html | string =>
  spread === null ? '' : html`${write(spread.worst)} <small>seed ${spread.worstSeed}</small>`;

/** A column only where some stage has the figure. */
const where = (stages: readonly SeedsStage[], has: (stage: SeedsStage) => unknown, column: HtmlColumn<SeedsStage>) =>
  stages.some((stage) => has(stage) !== null) ? [column] : [];

const cellColumns = ({ stages }: SeedsReport, reference: string | null): HtmlColumn<SeedsStage>[] => {
  const cells = cellsOf(stages.map(({ latency }) => latency));
  return cells.flatMap((at): HtmlColumn<SeedsStage>[] => [
    {
      title: `p50 ms, ${at.batch} × ${at.length}`,
      cell: ({ latency }) => mean(cellAt(latency, at)?.p50Ms, milliseconds),
    },
    {
      title: `speed-up, ${at.batch} × ${at.length}`,
      cell: ({ id, latency }) => (id === reference ? '' : mean(cellAt(latency, at)?.speedup, speedup)),
    },
  ]);
};

/** Of losses and the like the mean over seeds says little. */
const showsSpread = ({ metric }: Written): boolean => metric.alone !== true;

const moreColumn = (stages: readonly SeedsStage[], { metric: { name }, title, write }: Written) =>
  where(stages, ({ more }) => more[name] ?? null, { title, cell: ({ more }) => mean(more[name], write) });

const columnsOf = (seeds: SeedsReport, reference: string | null, metric: Primary): HtmlColumn<SeedsStage>[] => {
  const { title, write, changes, writeChange } = metric;
  const { stages } = seeds;
  const versus = (id: string, shown: Html | string): Html | string => (id === reference ? '' : shown);
  return [
    { title: 'stage', cell: ({ id }) => id },
    ...where(stages, ({ score }) => score, {
      title,
      cell: ({ score }) => mean(score, write),
    }),
    ...where(stages, ({ score }) => score, { title: 'worst', cell: ({ score }) => worst(score, write) }),
    ...where(stages, ({ difference }) => difference, {
      title: changes,
      cell: ({ id, difference }) => versus(id, mean(difference, writeChange)),
    }),
    ...where(stages, ({ difference }) => difference, {
      title: `worst ${changes}`,
      cell: ({ id, difference }) => versus(id, worst(difference, writeChange)),
    }),
    ...metric.more.filter(showsSpread).flatMap((one) => moreColumn(stages, one)),
    ...where(stages, ({ agreement }) => agreement.top1, {
      title: 'agrees %',
      cell: ({ agreement }) => mean(agreement.top1, percent),
    }),
    ...where(stages, (stage) => stage.bytes, { title: 'bytes', cell: (stage) => mean(stage.bytes, bytes) }),
    ...where(stages, ({ gzipBytes }) => gzipBytes, { title: 'gzip', cell: ({ gzipBytes }) => mean(gzipBytes, bytes) }),
    ...cellColumns(seeds, reference),
  ];
};

const dots = (seeds: SeedsReport, factor: number): readonly { stage: string; seed: string; figure: number }[] =>
  seeds.stages.flatMap(({ id, score }) =>
    (score?.values ?? []).flatMap((value, i) =>
      value === null ? [] : [{ stage: id, seed: `seed ${seeds.list[i] ?? ''}`, figure: factor * value }],
    ),
  );

/** The figures behind the dots: one column a seed. */
const values = (seeds: SeedsReport, { words, write }: Primary): Html =>
  table(
    [
      { title: 'stage', cell: ({ id }) => id },
      ...seeds.list.map(
        (seed, i): HtmlColumn<SeedsStage> => ({
          title: `seed ${seed}`,
          cell: ({ score }) => (score?.values[i] == null ? '' : write(score.values[i])),
        }),
      ),
    ],
    seeds.stages.filter(({ score }) => score !== null),
    `${capital(words)} of every seed`,
  );

const picture = async (seeds: SeedsReport, metric: Primary): Promise<Html> => {
  const rows = dots(seeds, metric.factor);
  if (rows.length === 0) return nothing;
  const stages = new Set(rows.map(({ stage }) => stage));
  const said = seeds.stages.flatMap(({ id, score }) => (score === null ? [] : `${id} ${mean(score, metric.write)}`));
  return await figure({
    caption: `${capital(metric.words)} of every seed: where dots of two stages overlap, the choice of the seed decides which is better.`,
    summary: `${capital(metric.title)}, mean and standard deviation over seeds: ${said.join('; ')}.`,
    charts: [
      {
        height: 24 * stages.size,
        spec: {
          data: { values: [...rows] },
          mark: { type: 'point', size: 70, strokeWidth: 2, opacity: 0.9 },
          encoding: {
            y: { field: 'stage', type: 'nominal', sort: null, axis: { title: null, grid: true } },
            x: {
              field: 'figure',
              type: 'quantitative',
              scale: { zero: false, padding: 8 },
              axis: { title: notFromZero(metric.title), tickCount: 5 },
            },
            color: { field: 'seed', type: 'nominal', scale: colours([...new Set(rows.map(({ seed }) => seed))]) },
          },
        },
      },
    ],
    table: values(seeds, metric),
  });
};

/** What several seeds say together: how much of a figure is the choice of the seed. */
export const seedsSection = async (report: Report): Promise<Section | null> => {
  const { seeds, reference } = report;
  if (seeds === undefined) return null;
  const shown = seeds.stages.filter((stage) => stage.score !== null || stage.bytes !== null);
  return {
    id: 'seeds',
    title: `Over ${seeds.list.length} seeds`,
    body: html`<p>Seeds ${seeds.list.join(', ')}: mean ± sample standard deviation, and the worst seed. All other sections are of seed ${report.seed}; those of the others are in the folders ${seeds.list.map(seedFolder).join(', ')}.</p>
${table(columnsOf(seeds, reference, metricOf(report)), shown, 'Every stage over all seeds')}
${await picture(seeds, metricOf(report))}`,
  };
};
