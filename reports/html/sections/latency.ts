import type { Bounds } from '../../../data/statistics/intervals.ts';
import { cellAt, cellsOf } from '../../cells.ts';
import { engineText, isDevice } from '../../engines.ts';
import { bytes, milliseconds, percent, range, seconds, speedup, times, whole } from '../../figures.ts';
import type { LatencyReport, LoadingReport, LoadReport, MeasurementReport, Report, StageReport } from '../../report.ts';
import { busyNote, p50Text, speedupText, textsPerSecond, timeText } from '../../speed.ts';
import { html, nothing } from '../html.ts';
import { type Chart, colours, figure } from '../picture.ts';
import { type HtmlColumn, table } from '../table.ts';
import { lengthCharts } from './by-length.ts';
import type { Section } from './section.ts';

interface Entry {
  readonly stage: string;
  readonly cell: LatencyReport;
}

/** Of what is no sequence the length is 1 and says nothing. */
const cellTitle = ({ batch, length }: LatencyReport): string => {
  if (length === 1) return batch === 1 ? 'one by one' : `${batch} at once`;
  return `${batch === 1 ? 'one text' : `${batch} texts`} of ${length} tokens`;
};

/** A stage as it was timed on one engine. */
type Measured = Pick<StageReport, 'id' | 'latency' | 'loading'>;

const entriesOf = (stages: readonly Measured[], at: LatencyReport): Entry[] =>
  stages.flatMap(({ id, latency }) => {
    const cell = cellAt(latency, at);
    return cell === undefined ? [] : [{ stage: id, cell }];
  });

const chartOf = (entries: readonly Entry[], names: readonly string[]): Chart[] => {
  const [first] = entries;
  if (first === undefined) return [];
  const rows = entries.map(({ stage, cell }) => ({
    stage,
    p50: cell.p50Ms,
    p90: cell.p90Ms,
    p99: cell.p99Ms,
    low: cell.p50Interval.low,
    high: cell.p50Interval.high,
  }));
  const y = { field: 'stage', type: 'nominal', sort: null, axis: { title: null } } as const;
  const x = {
    type: 'quantitative',
    scale: { type: 'log', padding: 8 },
    axis: { title: 'ms, logarithmic', gridOpacity: 0.5, tickCount: 5, labelOverlap: true, format: '~g' },
  } as const;
  const color = { field: 'stage', type: 'nominal', scale: colours(names), legend: null } as const;
  return [
    {
      title: cellTitle(first.cell),
      height: 24 * rows.length,
      spec: {
        data: { values: rows },
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 2, opacity: 0.6 },
            encoding: { y, x: { ...x, field: 'p50' }, x2: { field: 'p99' }, color },
          },
          {
            mark: { type: 'bar', height: 10, opacity: 0.45 },
            encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' }, color },
          },
          {
            mark: { type: 'point', filled: true, size: 60, opacity: 1 },
            encoding: { y, x: { ...x, field: 'p50' }, color },
          },
          { mark: { type: 'tick', thickness: 2, height: 10 }, encoding: { y, x: { ...x, field: 'p90' }, color } },
        ],
      },
    },
  ];
};

const bounded = (figure: string, bounds: Bounds | null, write: (x: number) => string): string =>
  bounds === null ? figure : `${figure} ${range(bounds, write)}`;

const cellColumns: readonly HtmlColumn<Entry>[] = [
  { title: 'stage', cell: ({ stage }) => stage },
  {
    title: 'p50 ms [95 %]',
    cell: ({ cell }) => bounded(p50Text(cell), cell.p50Interval, milliseconds),
  },
  {
    title: 'speed-up [95 %]',
    cell: ({ cell }) => bounded(speedupText(cell), cell.busy ? null : cell.speedupInterval, speedup),
  },
  {
    title: 'times the kernel [95 %]',
    cell: ({ cell: { relative } }) => (relative === null ? '' : bounded(times(relative.estimate), relative, times)),
  },
  { title: 'texts/s', cell: ({ cell }) => textsPerSecond(cell) },
  { title: 'p90', cell: ({ cell }) => bounded(timeText(cell, cell.p90Ms), cell.p90Interval, milliseconds) },
  { title: 'p95', cell: ({ cell }) => bounded(timeText(cell, cell.p95Ms), cell.p95Interval, milliseconds) },
  { title: 'p99', cell: ({ cell }) => bounded(timeText(cell, cell.p99Ms), cell.p99Interval, milliseconds) },
  { title: 'runs', cell: ({ cell }) => whole(cell.runs) },
];

/** Of the first engine, or of one beside it. */
type HowMeasured = Omit<MeasurementReport, 'otherEngines'>;

const on = (measurement: HowMeasured | null): string =>
  measurement?.on === undefined ? '' : ` on ${measurement.on.engine}`;

type Loaded = LoadingReport & { readonly id: string };

/** What a model adds to a process that holds the runtime alone. */
const added = ({ peakBytes }: Loaded, runtime: number): string => bytes(Math.max(0, peakBytes - runtime));

const loadingTable = (stages: readonly Measured[], measurement: HowMeasured | null) => {
  const loaded: readonly Loaded[] = stages.flatMap(({ id, loading }) => (loading === null ? [] : [{ id, ...loading }]));
  if (loaded.length === 0) return nothing;
  const runtime = measurement?.runtimePeakBytes ?? null;
  const columns: readonly HtmlColumn<Loaded>[] = [
    { title: 'stage', cell: ({ id }) => id },
    { title: 'session ms', cell: (one) => timeText(one, one.sessionMs) },
    { title: 'first run ms', cell: (one) => timeText(one, one.firstRunMs) },
    { title: 'peak memory', cell: ({ peakBytes }) => bytes(peakBytes) },
    ...(runtime === null ? [] : [{ title: 'of it the model', cell: (one: Loaded) => added(one, runtime) }]),
  ];
  const alone = runtime === null ? '' : `, which takes ${bytes(runtime)} alone`;
  const caption = `In a process of its own; peak memory holds Node and the runtime, too${alone}.`;
  const title = `Loading${on(measurement)}`;
  return html`<h3>${title}</h3>${table(columns, loaded, `${title} and memory by stage`, { caption })}`;
};

/** How long models ran before they were timed. */
const warmed = ({ warmUp }: HowMeasured): readonly string[] => {
  if (warmUp === null) return [];
  const unsettled =
    warmUp.unsettledShare === 0 ? '' : `; ${percent(warmUp.unsettledShare)} % of them were still getting quicker then`;
  return [`Warm-up: ${whole(warmUp.medianRuns)} runs in the middle, ${whole(warmUp.mostRuns)} at most${unsettled}.`];
};

const averages = (average: LoadReport['average']): readonly string[] =>
  average === null ? [] : [`load average ${average.map((one) => one.toFixed(1)).join(' before, ')} after`];

/** What else the machine did. */
const beside = ({ load }: HowMeasured): readonly string[] => {
  if (load === null) return [];
  const said = [
    `${percent(load.waited)} % of the time other work had the processor`,
    `${percent(load.disturbed)} % of the turns were disturbed`,
    ...averages(load.average),
    ...(load.stolen === null ? [] : [`${percent(load.stolen)} % of the machine's time its host gave to others`]),
  ];
  return [`Beside the models: ${said.join(', ')}.`];
};

const plural = (n: number, one: string, many: string): string => `${whole(n)} ${n === 1 ? one : many}`;

/** Where it was measured, where that is not the CPU of the environment. */
const device = ({ on: measured }: HowMeasured): readonly string[] =>
  measured === undefined
    ? []
    : [`On ${engineText(measured)}${versionsText(measured.versions)}.`, ...(isDevice(measured) ? [CLOCK] : [])];

const CLOCK =
  'By the clock, with the way of inputs and answers to the device and back; what else the device computed meanwhile is not known.';

const versionsText = (versions: Readonly<Record<string, string>>): string =>
  Object.entries(versions)
    .map(([name, version]) => `, ${name} ${version}`)
    .join('');

const how = (measurement: HowMeasured | null, busy: string | undefined) => {
  if (measurement === null) return nothing;
  const { rounds, processes, threads, referenceKernel, drift } = measurement;
  const said = [
    ...device(measurement),
    `${whole(rounds)} rounds over all stages in ${plural(processes, 'process', 'processes')}, ${plural(threads, 'thread', 'threads')}.`,
    ...(referenceKernel === null
      ? []
      : [`Reference kernel (${referenceKernel.name}): ${milliseconds(referenceKernel.p50Ms)} ms.`]),
    ...warmed(measurement),
    ...beside(measurement),
  ].join(' ');
  const drifted =
    busy === undefined && drift?.flagged === true
      ? html`<p class="warning">The machine's speed drifted by a factor of ${drift.ratio.toFixed(2)} during the measurement: trust ratios, not times.</p>`
      : nothing;
  return html`<p class="note">${said}</p>${busy === undefined ? nothing : html`<p class="warning">${busy}.</p>`}${drifted}`;
};

/** One engine: how it was measured, and every batch and length. */
const engineBody = async (
  measured: readonly Measured[],
  names: readonly string[],
  measurement: HowMeasured | null,
  busy: string | undefined,
) => {
  const cells = cellsOf(measured.map(({ latency }) => latency));
  const grid = cells.map((cell) => entriesOf(measured, cell));
  const drawn = await figure({
    caption:
      'Dot: median, with the band of its 95 % interval. Tick: 90 % of runs are faster. The line ends where 99 % are.',
    summary: `Median, p90 and p99 latency${on(measurement)} of ${measured.map(({ id }) => id).join(', ')} at ${cells.map(cellTitle).join('; ')}.`,
    charts: [...lengthCharts(measured, names), ...grid.flatMap((entries) => chartOf(entries, names))],
    table: html`${grid.map((entries, c) => {
      const title = cells[c] === undefined ? '' : `${cellTitle(cells[c])}${on(measurement)}`;
      return html`<h3>${title}</h3>${table(cellColumns, entries, `Latency at ${title}`)}`;
    })}`,
  });
  return html`${how(measurement, busy)}${drawn}${loadingTable(measured, measurement)}`;
};

/** Stages as an engine beside the first has timed them. */
const timedOn = ({ stages }: Report, engine: string): readonly Measured[] =>
  stages.flatMap(({ id, otherEngines = [] }) =>
    otherEngines.flatMap((other) => (other.engine === engine && other.latency.length > 0 ? [{ id, ...other }] : [])),
  );

/** Distributions of latency for every batch and length on every engine, and what loading costs. */
export const latencySection = async (report: Report): Promise<Section | null> => {
  const measured = report.stages.filter(({ latency }) => latency.length > 0);
  const names = report.stages.map(({ id }) => id);
  const bodies = measured.length === 0 ? [] : [await engineBody(measured, names, report.measurement, busyNote(report))];
  for (const other of report.measurement?.otherEngines ?? []) {
    const timed = timedOn(report, other.on.engine);
    if (timed.length === 0) continue;
    bodies.push(html`<h3>On ${other.on.engine}</h3>`, await engineBody(timed, names, other, undefined));
  }
  return bodies.length === 0 ? null : { id: 'latency', title: 'Latency', body: html`${bodies}` };
};

export const costSection = async ({ cost, stages, seconds: total }: Report): Promise<Section | null> => {
  const kinds = Object.entries(cost).filter(([, spent]) => spent > 0);
  if (kinds.length === 0) return null;
  const sum = kinds.reduce((all, [, spent]) => all + spent, 0);
  const share = (spent: number): string => `${((100 * spent) / sum).toFixed(1)}`;
  const rows = kinds.map(([kind, spent]) => ({ kind, spent })).toSorted((a, b) => b.spent - a.spent);
  const reused = stages.filter(({ cached }) => cached).length;
  return {
    id: 'cost',
    title: 'Cost of this run',
    body: html`${await figure({
      caption: `${seconds(total)} s in all; ${reused} of ${stages.length} stages came from the cache.`,
      summary: `Seconds of this run: ${rows.map(({ kind, spent }) => `${kind} ${seconds(spent)}`).join(', ')}.`,
      charts: [
        {
          height: 26 * rows.length,
          spec: {
            data: { values: rows },
            mark: { type: 'bar', height: 12, color: 'var(--accent)' },
            encoding: {
              y: { field: 'kind', type: 'nominal', sort: null, axis: { title: null } },
              x: { field: 'spent', type: 'quantitative', axis: { title: 'seconds', tickCount: 5 } },
            },
          },
        },
      ],
      table: table(
        [
          { title: 'kind of work', cell: ({ kind }) => kind },
          { title: 'seconds', cell: ({ spent }) => seconds(spent) },
          { title: 'share %', cell: ({ spent }) => share(spent) },
        ],
        rows,
        'Cost by kind of work',
      ),
    })}`,
  };
};
