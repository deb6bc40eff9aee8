import { milliseconds, millisecondsMore, percent } from '../../figures.ts';
import { gapAt } from '../../gap.ts';
import type { Report, StageReport } from '../../report.ts';
import { PROFILED_BUSY } from '../../speed.ts';
import { gapSentence, headline, stageOf } from '../../verdict.ts';
import { type Html, html, nothing } from '../html.ts';
import { accent, type Chart, figure, muted } from '../picture.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

type Time = NonNullable<StageReport['time']>;

interface Timed extends Pick<StageReport, 'id' | 'latency'> {
  readonly time: Time;
}

interface Part {
  readonly name: string;
  readonly ms: number;
  readonly count: number | null;
}

const MOST_PARTS = 10;
const REST = 'all others';

/** The largest parts, the others in one. */
const largest = (parts: readonly Part[]): readonly Part[] => {
  const sorted = parts.toSorted((a, b) => b.ms - a.ms);
  if (sorted.length <= MOST_PARTS) return sorted;
  const rest = sorted.slice(MOST_PARTS - 1);
  const ms = rest.reduce((sum, part) => sum + part.ms, 0);
  return [...sorted.slice(0, MOST_PARTS - 1), { name: REST, ms, count: null }];
};

const chartOf = (title: string, parts: readonly Part[]): Chart => {
  const rows = parts.map((part) => ({ ...part, color: part.name === REST ? muted : accent }));
  return {
    title,
    height: 22 * rows.length,
    spec: {
      data: { values: rows },
      mark: { type: 'bar', height: 11 },
      encoding: {
        y: { field: 'name', type: 'nominal', sort: null, axis: { title: null } },
        x: { field: 'ms', type: 'quantitative', axis: { title: 'ms a run', tickCount: 5 } },
        color: { field: 'color', type: 'nominal', scale: null },
      },
    },
  };
};

const partTable = (title: string, parts: readonly Part[], total: number): Html =>
  table<Part>(
    [
      { title, cell: ({ name }) => name },
      { title: 'ms', cell: ({ ms }) => milliseconds(ms) },
      { title: 'share %', cell: ({ ms }) => percent(ms / total) },
      ...(parts.some(({ count }) => count !== null)
        ? [{ title: 'nodes', cell: ({ count }: Part) => (count === null ? '' : `${count}`) }]
        : []),
    ],
    parts,
    `Time by ${title}`,
  );

/** Times of the profile as shares of the latency that tables show. */
const scaledTo = (time: Time, p50Ms: number): Time => {
  const factor = p50Ms / time.totalMs;
  const scaled = <T extends { readonly ms: number }>(part: T): T => ({ ...part, ms: factor * part.ms });
  return { ...time, totalMs: p50Ms, operators: time.operators.map(scaled), layers: time.layers.map(scaled) };
};

const OTHER = 'a measurement of its own, not the p50 of the tables';

const timeFigure = async ({ id, time, latency: [cell] }: Timed): Promise<Html> => {
  const isScaled = cell !== undefined && !cell.busy && time.totalMs > 0;
  const { totalMs, operators, layers } = isScaled ? scaledTo(time, cell.p50Ms) : time;
  const from = isScaled ? 'scaled to the p50 of the tables' : OTHER;
  const byOperator = largest(
    operators.map(({ op, ms, count }) => ({ name: op.replace(/^com\.microsoft:/, ''), ms, count })),
  );
  const byLayer = largest(layers.map(({ layer, ms }) => ({ name: layer, ms, count: null })));
  const [top] = byOperator;
  return html`<h3>${id} <small>${milliseconds(totalMs)} ms a run</small></h3>${await figure({
    caption: `Time in the kernels of the optimised graph, as ONNX Runtime itself profiles it: ${from}.`,
    summary: `Where the time of ${id} goes: ${top === undefined ? '' : `${top.name} ${percent(top.ms / totalMs)} %`}.`,
    charts: [
      ...(byOperator.length === 0 ? [] : [chartOf('By operator', byOperator)]),
      ...(byLayer.length === 0 ? [] : [chartOf('By layer', byLayer)]),
    ],
    table: html`${partTable('operator', byOperator, totalMs)}${byLayer.length === 0 ? nothing : partTable('layer', byLayer, totalMs)}`,
  })}`;
};

/** Where the time of the headline and of the reference goes; other stages are folded. */
export const timeSection = async (report: Report): Promise<Section | null> => {
  const ids = [headline(report)?.id, report.reference];
  const first = ids.flatMap((id) => stageOf(report, id) ?? []).filter((stage, i, all) => all.indexOf(stage) === i);
  const order = [...first, ...report.stages.filter((stage) => !first.includes(stage))];
  const timed = order.flatMap(({ id, time, latency }): Timed[] =>
    time === null || time.operators.length + time.layers.length === 0 ? [] : [{ id, time, latency }],
  );
  if (timed.length === 0) return null;
  const figures: Html[] = [];
  for (const one of timed) figures.push(await timeFigure(one));
  const [open, folded] = [figures.slice(0, 2), figures.slice(2)];
  return {
    id: 'time',
    title: 'Where the time goes',
    body: html`${open}${folded.length === 0 ? nothing : html`<details class="more"><summary>The other ${folded.length} stages</summary>${folded}</details>`}`,
  };
};

type Gap = NonNullable<StageReport['gap']>;

interface GapRow {
  readonly name: string;
  readonly ms: number | null;
  readonly expectedMs: number | null;
  readonly gapMs: number;
}

const gapRows = ({ parts, unexplainedMs, ms, expectedMs, gapMs }: Gap): readonly GapRow[] => [
  ...parts
    .filter((part) => part.ms !== 0 || part.expectedMs !== 0)
    .map((part) => ({ ...part, gapMs: part.ms - part.expectedMs })),
  { name: 'unexplained', ms: null, expectedMs: null, gapMs: unexplainedMs },
  { name: 'in all', ms, expectedMs, gapMs },
];

/** How the difference between time and MACs splits over what the time is made of. */
const gapTable = (stage: StageReport): Html => {
  const own = stage.gap;
  if (own === null) return nothing;
  const scaled = gapAt(own, stage.latency[0]);
  const gap = scaled ?? own;
  const sentence = gapSentence(gap);
  const shown = (ms: number | null): string => (ms === null ? '' : milliseconds(ms));
  const explained =
    gap.explained === null ? '' : `The parts explain ${percent(gap.explained)} % of the difference from the MACs.`;
  const from = scaled === null ? `Times are those of the profile: ${OTHER}.` : '';
  return html`<p>${[sentence, explained, from].join(' ').trim()}</p>${table<GapRow>(
    [
      { title: 'part of a run', cell: ({ name }) => name },
      { title: 'ms', cell: ({ ms }) => shown(ms) },
      { title: 'MACs alone', cell: ({ expectedMs }) => shown(expectedMs) },
      { title: 'difference', cell: ({ gapMs }) => millisecondsMore(gapMs) },
    ],
    gapRows(gap),
    `Time of ${stage.id} against its MACs, beside ${gap.versus}`,
  )}`;
};

/** Why stages are not faster: findings with their evidence and what to do, and how their time compares with their MACs. */
export const causesSection = (report: Report): Section | null => {
  const found = report.stages.filter(({ causes, gap, undecided }) => causes.length > 0 || gap !== null || undecided);
  if (found.length === 0) return null;
  const best = headline(report)?.id;
  const list = (stage: StageReport): Html =>
    html`${stage.undecided ? html`<p class="warning">What only times tell is undecided: ${PROFILED_BUSY}.</p>` : nothing}<dl class="causes">${stage.causes.map(
      ({ finding, evidence, advice, about, share }) =>
        html`<div><dt>${finding}${share === null ? nothing : html` <span class="share">${percent(share)} % of the ${about}</span>`}</dt><dd>${evidence}</dd><dd class="advice">${advice}</dd></div>\n`,
    )}</dl>${gapTable(stage)}`;
  return {
    id: 'causes',
    title: 'Why it is not faster',
    body: html`<p class="note">Milliseconds in these findings are those of the profile, ${OTHER}; shares hold for both.</p>${found.map(
      (stage) =>
        html`<details class="more"${stage.id === best || found.length === 1 ? html` open` : nothing}><summary>${stage.id}</summary>${list(stage)}</details>\n`,
    )}`,
  };
};
