import type { Spread } from '../data/statistics/spread.ts';
import { dataTask } from '../ground/tasks.ts';
import { latencyOn, otherEngines } from './engines.ts';
import type { LatencyReport, Report, SeedsStage, StageReport } from './report.ts';
import { oneLine } from './text.ts';

type Value = string | number | null | undefined;

/**
 * One cell (RFC 4180). Text that a spreadsheet would run as a formula gets an apostrophe in front; figures are written
 * with all their digits, and what is not there is empty.
 */
const field = (value: Value): string => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : '';
  const text = oneLine(value);
  const harmless = /^[=+\-@|%]/.test(text) ? `'${text}` : text;
  return /[",']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

type Column = readonly [title: string, value: (stage: StageReport) => Value];

const stageColumns: readonly Column[] = [
  ['stage', ({ id }) => id],
  ['uses', ({ uses }) => uses],
  ['cached', ({ cached }) => `${cached}`],
  ['seconds', ({ seconds }) => seconds],
];

const modelColumns: readonly Column[] = [
  ['agreement', ({ agreement }) => agreement?.top1],
  ['kl', ({ agreement }) => agreement?.kl],
  ['parameters', ({ model }) => model?.parameters],
  ['nonzero', ({ model }) => model?.nonzero],
  ['bytes', ({ model }) => model?.bytes],
  ['gzip_bytes', ({ model }) => model?.gzipBytes],
  ['brotli_bytes', ({ model }) => model?.brotliBytes],
  ['macs', ({ model }) => model?.macs],
  ['session_ms', ({ loading }) => loading?.sessionMs],
  ['first_run_ms', ({ loading }) => loading?.firstRunMs],
  ['peak_bytes', ({ loading }) => loading?.peakBytes],
];

/** A metric's name as columns are called: macro_f1. */
const columnName = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();

const qualityColumns = (report: Report): readonly Column[] => {
  const { metric, more } = dataTask(report.data.task);
  const name = columnName(metric.name);
  return [
    [name, ({ quality }) => quality?.score],
    [`${name}_low`, ({ quality }) => quality?.scoreInterval.low],
    [`${name}_high`, ({ quality }) => quality?.scoreInterval.high],
    ['difference', ({ difference }) => difference?.score],
    ['difference_low', ({ difference }) => difference?.low],
    ['difference_high', ({ difference }) => difference?.high],
    ...more.map((one): Column => [columnName(one.name), ({ quality }) => quality?.more[one.name]?.value]),
  ];
};

/** Columns of the first engine, or of another one under its name. */
const latencyColumns = (
  { stages }: Report,
  engine = '',
  latencyOf = ({ latency }: StageReport): readonly LatencyReport[] => latency,
): readonly Column[] => {
  const cells = stages.map(latencyOf).find((latency) => latency.length > 0) ?? [];
  return cells.flatMap(({ batch, length }, c): Column[] => {
    const at = `${engine === '' ? '' : `${engine}_`}batch_${batch}_length_${length}`;
    const cell = (stage: StageReport): LatencyReport | undefined => latencyOf(stage)[c];
    return [
      [`busy_${at}`, (stage) => cell(stage)?.busy.toString()],
      [`p50_ms_${at}`, (stage) => cell(stage)?.p50Ms],
      [`p90_ms_${at}`, (stage) => cell(stage)?.p90Ms],
      [`p99_ms_${at}`, (stage) => cell(stage)?.p99Ms],
      [`texts_per_second_${at}`, (stage) => cell(stage)?.textsPerSecond],
      [`relative_${at}`, (stage) => cell(stage)?.relative?.estimate],
      [`relative_low_${at}`, (stage) => cell(stage)?.relative?.low],
      [`relative_high_${at}`, (stage) => cell(stage)?.relative?.high],
      [`speedup_${at}`, (stage) => cell(stage)?.speedup],
      [`speedup_low_${at}`, (stage) => cell(stage)?.speedupInterval?.low],
      [`speedup_high_${at}`, (stage) => cell(stage)?.speedupInterval?.high],
    ];
  });
};

/** Columns over seeds, where there are several. */
const seedsColumns = ({ seeds, data }: Report): readonly Column[] => {
  if (seeds === undefined) return [];
  const { metric } = dataTask(data.task);
  const over = ({ id }: StageReport): SeedsStage | undefined => seeds.stages.find((stage) => stage.id === id);
  const figures: readonly (readonly [string, (stage: SeedsStage) => Spread | null])[] = [
    [columnName(metric.name), ({ score }) => score],
    ['difference', ({ difference }) => difference],
  ];
  return figures.flatMap(([name, figure]): Column[] => {
    const spreadOf = (stage: StageReport): Spread | null => {
      const found = over(stage);
      return found === undefined ? null : figure(found);
    };
    return [
      [`${name}_mean`, (stage) => spreadOf(stage)?.mean],
      [`${name}_deviation`, (stage) => spreadOf(stage)?.deviation],
      [`${name}_worst`, (stage) => spreadOf(stage)?.worst],
      [`${name}_worst_seed`, (stage) => spreadOf(stage)?.worstSeed],
    ];
  });
};

/** One line a stage, for spreadsheets and scripts: rates 0 to 1, sizes in bytes, times in the unit of their title. */
export const renderCsv = (report: Report): string => {
  const all = [
    ...[...stageColumns, ...qualityColumns(report), ...modelColumns],
    ...latencyColumns(report),
    ...otherEngines(report).flatMap(({ engine }) =>
      latencyColumns(report, engine, (stage) => latencyOn(stage, engine)),
    ),
    ...seedsColumns(report),
  ];
  const lines = [
    all.map(([title]) => field(title)),
    ...report.stages.map((stage) => all.map(([, value]) => field(value(stage)))),
  ];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
};
