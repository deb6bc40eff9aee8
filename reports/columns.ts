import { isBetter } from '../ground/metrics/metric.ts';
import { readsTexts } from '../ground/tasks.ts';
import { besideScore } from './classification.ts';
import { enginesCaption, engineText, firstEngine, latencyOn, otherEngines } from './engines.ts';
import { bytes, count, percent, range, seconds, whole } from './figures.ts';
import { metricOf, type Primary, type Written } from './metric.ts';
import type { BaselineReport, Report, StageReport } from './report.ts';
import { baselineLatency, largerBatch, p50Text, speedupText, textsPerSecond } from './speed.ts';
import { oneLine } from './text.ts';

export interface Column {
  readonly title: string;
  /** What a stage brings: a control brings nothing. */
  readonly gain?: true;
  cell(stage: StageReport, report: Report): string;
  /** The same of a baseline, where that has it from elsewhere. */
  ofBaseline?(baseline: BaselineReport): string;
}

/** The score with its interval. */
export const scoreText = ({ quality }: Pick<StageReport, 'quality'>, { write }: Pick<Primary, 'write'>): string =>
  quality === null ? '' : `${write(quality.score)} ${range(quality.scoreInterval, write)}`;

const changeCell = ({ difference }: StageReport, { writeChange }: Primary): string =>
  difference === null ? '' : `${writeChange(difference.score)} ${range(difference, writeChange)}`;

/** Nothing where a figure is none. */
const figureText = (figure: number | undefined, { write }: Written): string =>
  figure === undefined || Number.isNaN(figure) ? '' : write(figure);

/** Further metrics that a table has room for: what classes and losses say more is in the page. */
const moreColumn = (written: Written): Column => ({
  title: written.title,
  cell: ({ quality }) => figureText(quality?.more[written.metric.name]?.value, written),
});

/** Where classes are uneven, what every class weighs alike in. */
const unevenMetric = (report: Report): Written | undefined => {
  const stage = report.stages.find(({ quality }) => quality !== null);
  return stage === undefined ? undefined : besideScore(report, stage.quality);
};

const unevenColumns = (report: Report): readonly Column[] => {
  const metric = unevenMetric(report);
  return metric === undefined ? [] : [moreColumn(metric)];
};

/** What a model answers in a second, as columns are headed. */
export const perSecond = (report: Report): string =>
  readsTexts(report.data.task) ? 'texts/s' : `${metricOf(report).inputs}/s`;

/** What a reader looks at first. */
const verdictBlock = (report: Report, metric = metricOf(report)): readonly Column[] => [
  { title: metric.title, cell: ({ quality }) => figureText(quality?.score, metric) },
  ...unevenColumns(report),
  {
    title: `${metric.changes} [95 %]`,
    cell: (stage, { reference }) => (stage.id === reference ? 'reference' : changeCell(stage, metric)),
  },
  {
    title: 'bytes',
    cell: ({ model }) => (model === null ? '' : bytes(model.bytes)),
    ofBaseline: ({ bytes: size }) => (size === undefined ? '' : bytes(size)),
  },
  { title: 'p50 ms', cell: ({ latency }) => p50Text(latency[0]), ofBaseline: (one) => p50Text(baselineLatency(one)) },
  {
    title: perSecond(report),
    cell: ({ latency }) => textsPerSecond(latency[0]),
    ofBaseline: (one) => textsPerSecond(baselineLatency(one)),
  },
  { title: 'speed-up', gain: true, cell: ({ latency }) => speedupText(latency[0]) },
];

/** The same of the larger batch. */
const batchBlock = (report: Report): readonly Column[] => {
  const [cell] = report.stages.flatMap((stage) => largerBatch(stage) ?? []);
  if (cell === undefined) return [];
  const at = `batch ${cell.batch}`;
  return [
    { title: `p50 ms, ${at}`, cell: (stage) => p50Text(largerBatch(stage)) },
    { title: `${perSecond(report)}, ${at}`, cell: (stage) => textsPerSecond(largerBatch(stage)) },
    { title: `speed-up, ${at}`, gain: true, cell: (stage) => speedupText(largerBatch(stage)) },
  ];
};

/** Latency on an engine beside the first, and against the reference there. */
const engineBlock = ({ stages }: Report, engine: string): readonly Column[] => {
  const on = (stage: StageReport) => ({ latency: latencyOn(stage, engine) });
  const [many] = stages.flatMap((stage) => largerBatch(on(stage)) ?? []);
  const batch = `${engine}, batch ${many?.batch}`;
  return [
    { title: `p50 ms, ${engine}`, cell: (stage) => p50Text(on(stage).latency[0]) },
    { title: `speed-up, ${engine}`, gain: true, cell: (stage) => speedupText(on(stage).latency[0]) },
    { title: `p50 ms, ${batch}`, cell: (stage) => p50Text(largerBatch(on(stage))) },
    { title: `speed-up, ${batch}`, gain: true, cell: (stage) => speedupText(largerBatch(on(stage))) },
  ];
};

export const detailBlock = (report: Report): readonly Column[] => [
  ...metricOf(report)
    .more.filter(({ metric }) => metric.aside !== true && unevenMetric(report)?.metric.name !== metric.name)
    .map(moreColumn),
  { title: 'agrees %', cell: ({ agreement }) => (agreement === null ? '' : percent(agreement.top1)) },
  { title: 'parameters', cell: ({ model }) => (model === null ? '' : count(model.parameters)) },
  { title: 'non-zero', cell: ({ model }) => (model === null ? '' : count(model.nonzero)) },
  { title: 'gzip', cell: ({ model }) => (model === null ? '' : bytes(model.gzipBytes)) },
  { title: 'MACs', cell: ({ model }) => (model === null ? '' : count(model.macs)) },
  {
    title: 'seconds',
    cell: ({ seconds: spent, cached }) => (Number.isNaN(spent) ? '' : `${seconds(spent)}${cached ? ' *' : ''}`),
  },
];

type Blocks = readonly (readonly Column[])[];

/** How good and how fast, in blocks that stay together when a narrow terminal splits the table. */
export const mainBlocks = (report: Report): Blocks => [
  verdictBlock(report),
  batchBlock(report),
  ...otherEngines(report).map(({ engine }) => engineBlock(report, engine)),
];

/** The columns every table shows, in such blocks. */
export const columnBlocks = (report: Report): Blocks => [...mainBlocks(report), detailBlock(report)];

/** Columns that say something about at least one stage. */
export const telling = (report: Report, columns: readonly Column[]): readonly Column[] =>
  columns.filter((column) => report.stages.some((stage) => column.cell(stage, report) !== ''));

/** The strongest model that is no Transformer: what is worse has learned nothing worth its size. Undefined for none. */
export const bestBaseline = (report: Report): number | undefined => {
  const { metric } = metricOf(report);
  const scores = Object.values(report.data.baselines ?? {}).flatMap(({ score }) => score ?? []);
  return scores.toSorted((a, b) => Number(isBetter(metric, b, a)) - Number(isBetter(metric, a, b)))[0];
};

/** "8,154 test texts", or sentences with the words in them. */
export const testSize = (report: Report): string => {
  const { inputs, examples } = metricOf(report);
  const counted = report.stages.find(({ quality }) => quality !== null)?.quality?.examples;
  const words = inputs === examples || counted === undefined ? '' : ` with ${whole(counted)} ${examples}`;
  return `${whole(report.data.test)} test ${inputs}${words}`;
};

/** How long what was fed is, where it is a sequence. */
export const lengthText = ({ data: { task } }: Report, length: number): readonly string[] =>
  readsTexts(task) ? [`${length} tokens`] : [];

/** Under what conditions the first latency was measured. */
export const latencyConditions = (report: Report): string | undefined => {
  const cell = report.stages.find((stage) => stage.latency.length > 0)?.latency[0];
  if (cell === undefined) return undefined;
  const on = firstEngine(report);
  const where = on === undefined ? `${cell.threads} thread${cell.threads === 1 ? '' : 's'}` : oneLine(engineText(on));
  return [`batch ${cell.batch}`, ...lengthText(report, cell.length), where].join(', ');
};

/** Why no speed-up is told of a baseline; undefined where none was timed. */
const baselinesCaption = ({ data: { baselines, task } }: Report): string | undefined => {
  const timed = Object.values(baselines ?? {}).filter(({ msPerText }) => msPerText !== undefined);
  if (timed.length === 0) return undefined;
  const again = timed.some(({ busy }) => busy) ? ', and may be too long where it has ~: --remeasure repeats it' : '';
  const from = readsTexts(task)
    ? 'from the text, splitting included, in JavaScript, where that of models begins at tokens'
    : 'in JavaScript, one image after the other';
  return `latency of baselines is from another measurement: ${from}${again}`;
};

/** The conditions of the tables' figures; undefined where nothing was measured. */
export const latencyCaption = (report: Report): string | undefined => {
  const conditions = latencyConditions(report);
  const length = report.stages.find(({ model }) => model !== null)?.model?.macsLength;
  const engines = enginesCaption(report);
  const baselines = baselinesCaption(report);
  return conditions === undefined
    ? undefined
    : [
        `p50 at ${conditions}`,
        ...(engines === undefined ? [] : [oneLine(engines)]),
        ...(length === undefined ? [] : lengthText(report, length).map((tokens) => `MACs at ${tokens}`)),
        ...(baselines === undefined ? [] : [baselines]),
      ].join('; ');
};

/** What is to be known of the data, and what stages said about their work, each with who says it. */
export const allNotes = ({ data, stages }: Report): readonly (readonly [string, string])[] => [
  ...data.remarks.map((remark) => ['data', remark] as const),
  ...stages.flatMap(({ id, notes }) => notes.map((note) => [id, note] as const)),
];

export const REUSED = '* reused from the cache';
