import { averagesOf } from '../../classification.ts';
import { type Asked, askedOf, type Matrix, matrixOf, mostConfused } from '../../confusion.ts';
import { percent, plainNumber, range, signedNumber, whole } from '../../figures.ts';
import { metricOf } from '../../metric.ts';
import type { AnswersReport, QualityReport, Report } from '../../report.ts';
import { capital, shortened } from '../../text.ts';
import { stageOf } from '../../verdict.ts';
import { type Html, html, nothing, trusted } from '../html.ts';
import { accent, type Chart, figure, muted, notFromZero } from '../picture.ts';
import { type HtmlColumn, table } from '../table.ts';
import type { Section } from './section.ts';

type ClassRow = Pick<QualityReport['classes'][number], 'label' | 'support' | 'precision' | 'recall' | 'f1'> & {
  readonly f1Interval: QualityReport['classes'][number]['f1Interval'] | null;
};

/** Rows that a page shows before it folds the rest. */
const MOST_ROWS = 40;
/** Rows that are folded: figures of the others are in report.json. */
const MOST_FOLDED = 60;

const reportColumns = (examples: string): readonly HtmlColumn<ClassRow>[] => [
  { title: 'class', cell: ({ label }) => label },
  { title: 'precision %', cell: ({ precision }) => percent(precision) },
  { title: 'recall %', cell: ({ recall }) => percent(recall) },
  {
    title: 'F1 % [95 %]',
    cell: ({ f1, f1Interval }) => `${percent(f1)}${f1Interval === null ? '' : ` ${range(f1Interval, percent)}`}`,
  },
  { title: examples, cell: ({ support }) => whole(support) },
];

/** Precision, recall and F1 of every class with their means, as scikit-learn's classification_report has them. */
const classificationReport = (classes: QualityReport['classes'], title: string, examples: string): Html => {
  if (classes.length === 0) return nothing;
  const sorted: readonly ClassRow[] = classes.toSorted((a, b) => b.support - a.support);
  const [open, folded] = [sorted.slice(0, MOST_ROWS), sorted.slice(MOST_ROWS, MOST_ROWS + MOST_FOLDED)];
  const columns = reportColumns(examples);
  const means = averagesOf(classes).map((mean): ClassRow => ({ ...mean, f1Interval: null }));
  const more =
    folded.length === 0
      ? nothing
      : html`<details><summary>${folded.length} rarer classes of ${sorted.length}</summary>${table(columns, folded, 'Rarer classes')}</details>`;
  return html`<h3>${title}</h3>${table(columns, [...open, ...means], title, {
    strong: ({ label }) => means.some((mean) => mean.label === label),
  })}${more}`;
};

const LONGEST_CLASS = 28;

/** The darker, the larger the share of the true class. */
const cellOf = (count: number, sum: number): Html => {
  if (count === 0) return html`<span class="none">0</span>`;
  const share = trusted((count / Math.max(1, sum)).toFixed(3));
  return html`<span class="cell" style="--share:${share}">${whole(count)}</span>`;
};

type MatrixRow = { readonly label: string; readonly counts: readonly number[] };

const matrixTable = ({ classes, counts }: Matrix): Html => {
  const sum = (row: readonly number[]): number => row.reduce((all, count) => all + count, 0);
  const columns: readonly HtmlColumn<MatrixRow>[] = [
    { title: 'true class', cell: ({ label }) => label },
    ...classes.map(
      (label, c): HtmlColumn<MatrixRow> => ({
        ...{ title: shortened(label, LONGEST_CLASS), upright: true },
        cell: (row) => cellOf(row.counts[c] ?? 0, sum(row.counts)),
      }),
    ),
  ];
  const rows = counts.map((row, i) => ({ label: classes[i] ?? '', counts: row }));
  return table(columns, rows, 'Confusion matrix', {
    caption: 'Rows: what is true. Columns: what was said. The darker, the larger the share of the row.',
    matrix: true,
  });
};

const confusedTable = (answers: AnswersReport): Html => {
  const pairs = mostConfused(answers, 10);
  return pairs.length === 0
    ? nothing
    : html`<details><summary>Most often confused</summary>${table(
        [
          { title: 'true class', cell: ({ label }) => label ?? '' },
          { title: 'was taken for', text: true, cell: ({ said }) => said ?? '' },
          { title: 'times', cell: ({ count }) => whole(count) },
        ],
        pairs,
        'Most often confused',
      )}</details>`;
};

const askedColumns: readonly HtmlColumn<Asked>[] = [
  { title: 'class', cell: ({ label }) => label },
  { title: 'said rightly', cell: ({ hits }) => whole(hits) },
  { title: 'left out', cell: ({ missed }) => whole(missed) },
  { title: 'said wrongly', cell: ({ wrong }) => whole(wrong) },
];

const confusion = (answers: AnswersReport, classes: readonly string[]): Html => {
  const asked = askedOf(answers, classes);
  if (asked.length > 0) return html`<h3>Right and wrong by class</h3>${table(askedColumns, asked, 'Right and wrong')}`;
  const matrix = matrixOf(answers, classes);
  return matrix === null ? nothing : html`<h3>Confusion matrix</h3>${matrixTable(matrix)}${confusedTable(answers)}`;
};

const reliabilityChart = (bins: AnswersReport['reliability']): Chart => {
  const scale = { domain: [0, 100] };
  const x = { type: 'quantitative', scale, axis: { title: 'how sure, %', tickCount: 5 } } as const;
  const y = { type: 'quantitative', scale, axis: { title: 'right, %', tickCount: 5 } } as const;
  return {
    height: 260,
    spec: {
      layer: [
        {
          data: { values: [0, 100].map((at) => ({ at })) },
          mark: { type: 'line', strokeDash: [4, 4], color: muted },
          encoding: { x: { ...x, field: 'at' }, y: { ...y, field: 'at' } },
        },
        {
          data: { values: bins.map(({ confidence, right }) => ({ sure: 100 * confidence, right: 100 * right })) },
          mark: { type: 'line', color: accent, strokeWidth: 2, point: { filled: true, size: 50, color: accent } },
          encoding: { x: { ...x, field: 'sure' }, y: { ...y, field: 'right' } },
        },
      ],
    },
  };
};

type Bin = AnswersReport['reliability'][number];

const binTable = (bins: readonly Bin[]): Html =>
  table<Bin>(
    [
      { title: 'how sure %', cell: ({ low, high }) => `${percent(low)} to ${percent(high)}` },
      { title: 'mean of it %', cell: ({ confidence }) => percent(confidence) },
      { title: 'right %', cell: ({ right }) => percent(right) },
      { title: 'answers', cell: ({ count }) => whole(count) },
    ],
    bins,
    'Reliability',
  );

const reliability = async ({ reliability: bins }: AnswersReport): Promise<Html> =>
  bins.length === 0
    ? nothing
    : html`<h3>Reliability</h3>${await figure({
        caption:
          'A model that is as often right as it is sure lies on the dashed line; below it, it is too sure of itself.',
        summary: `Share of right answers by confidence: ${bins.map(({ confidence, right }) => `${percent(confidence)} % sure, ${percent(right)} % right`).join('; ')}.`,
        charts: [reliabilityChart(bins)],
        table: binTable(bins),
      })}`;

const scatterChart = (points: AnswersReport['scatter']): Chart => {
  const all = points.flatMap(({ said, truth }) => [said, truth]);
  const ends = [Math.min(...all), Math.max(...all)];
  const scale = { domain: ends, nice: true, zero: false } as const;
  return {
    height: 320,
    spec: {
      layer: [
        {
          data: { values: ends.map((at) => ({ at })) },
          mark: { type: 'line', strokeDash: [4, 4], color: muted },
          encoding: {
            x: { field: 'at', type: 'quantitative', scale, axis: { title: notFromZero('true'), tickCount: 5 } },
            y: { field: 'at', type: 'quantitative', scale, axis: { title: notFromZero('said'), tickCount: 5 } },
          },
        },
        {
          data: { values: points.map(({ said, truth }) => ({ said, truth })) },
          mark: { type: 'point', filled: true, size: 22, opacity: 0.55, color: accent },
          encoding: {
            x: { field: 'truth', type: 'quantitative', scale },
            y: { field: 'said', type: 'quantitative', scale },
          },
        },
      ],
    },
  };
};

const scatter = async ({ scatter: points }: AnswersReport): Promise<Html> =>
  points.length === 0
    ? nothing
    : html`<h3>Said against true</h3>${await figure({
        caption: `${whole(points.length)} answers; on the dashed line what was said is true.`,
        summary: `Scatter plot of ${points.length} numbers that were said against the true ones.`,
        charts: [scatterChart(points)],
        table: table(
          [
            { title: 'true', cell: ({ truth }) => plainNumber(truth) },
            { title: 'said', cell: ({ said }) => plainNumber(said) },
          ],
          points.slice(0, MOST_ROWS),
          'Said and true numbers',
        ),
      })}`;

/** What the model that ships answered: by class, how surely, and where it goes wrong. */
export const answersSection = async (report: Report): Promise<Section | null> => {
  const { answers, data } = report;
  const quality = stageOf(report, answers?.stage)?.quality ?? null;
  if (answers === null || quality === null) return null;
  const { classes, entities = [] } = quality;
  return {
    id: 'answers',
    title: `What ${answers.stage} answers`,
    body: html`<p>On all ${whole(quality.examples)} test ${metricOf(report).examples}.</p>
${classificationReport(entities, 'Entities by type', 'entities')}
${classificationReport(classes, 'Classification report', metricOf(report).examples)}
${confusion(answers, data.classes)}
${await reliability(answers)}
${await scatter(answers)}`,
  };
};

type Mistake = AnswersReport['mistakes'][number];

/** Mistakes shown before the rest is folded. */
const SHOWN = 8;

const mistake = ({ text, label, said, confidence, error }: Mistake): Html => {
  const how = confidence === null ? '' : `, ${percent(confidence)} % sure`;
  const off = error === null ? '' : `, ${signedNumber(error)} off`;
  return html`<li><q dir="auto">${text}</q><span class="flip">said ${said}${how}${off}; true: <b>${label}</b></span></li>\n`;
};

/** The wrong answers to look at first: labels that are wrong themselves are often among them. */
export const mistakesSection = (report: Report): Section | null => {
  const { answers } = report;
  if (answers === null || answers.mistakes.length === 0) return null;
  const { stage, mistakes } = answers;
  const [first, rest] = [mistakes.slice(0, SHOWN), mistakes.slice(SHOWN)];
  const what = mistakes.some(({ error }) => error !== null) ? 'furthest off' : 'surest of';
  const more =
    rest.length === 0
      ? nothing
      : html`<details><summary>${rest.length} more</summary><ol start="${SHOWN + 1}">${rest.map(mistake)}</ol></details>`;
  return {
    id: 'mistakes',
    title: `${capital(metricOf(report).examples)} that it gets wrong`,
    body: html`<p>Where ${stage} is ${what} and wrong. Labels that are wrong themselves are often among these.</p>
<div class="mistakes"><ol>${first.map(mistake)}</ol>${more}</div>`,
  };
};
