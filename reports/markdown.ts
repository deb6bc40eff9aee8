import { answersLines, entityLines } from './answers-markdown.ts';
import { askedBesides } from './asked.ts';
import { bitsLines } from './bits-markdown.ts';
import { cellAt, cellsOf } from './cells.ts';
import {
  type Column,
  detailBlock,
  latencyCaption,
  lengthText,
  mainBlocks,
  REUSED,
  telling,
  testSize,
} from './columns.ts';
import { latencyOn, otherEngines } from './engines.ts';
import { bytes, percent, range, seconds, whole } from './figures.ts';
import { byUrgency, gateCount, gateSentence } from './gates/words.ts';
import { metricOf } from './metric.ts';
import type { LatencyReport, Report, StageReport } from './report.ts';
import { cellOf, controlNote, type Row, tellingRows } from './rows.ts';
import { seedsBlock, seedsCaption, tellingSeeds } from './seeds-columns.ts';
import { busyNote, p50Text, speedupText, textsPerSecond, timeText } from './speed.ts';
import { oneLine, shortened } from './text.ts';
import { useOf } from './use.ts';
import { headline, mainCause, verdict } from './verdict.ts';

/** A pull-request comment of this many lines is still read. */
export const MOST_LINES = 58;
const MOST_ROWS = 24;
const LONGEST_TEXT = 160;
const LONGEST_VERDICT = 900;

/**
 * Text from data or YAML made inert in Markdown and in the HTML that it allows: no markup, links, mentions, references
 * or table cells begin in it.
 */
export const inert = (text: string, most = LONGEST_TEXT): string =>
  shortened(oneLine(text), most)
    .replace(/[&<>]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;'))
    .replace(/[\\`*_[\]#|~$]/g, '\\$&')
    .replace(/@(?=\w)/g, '@\u2060')
    .replace(/:\/\//g, ':\u2060//')
    .replace(/\bwww\./gi, 'www\u2060.')
    .replace(/^[-+=]/, '\\$&')
    .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2');

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** Rows beyond the most that are read are counted instead. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[], most = MOST_ROWS): string[] => [
  row(head),
  row(head.map((_, i) => (i === 0 ? '---' : '---:'))),
  ...rows.slice(0, most).map(row),
  ...(rows.length > most ? [row([`${rows.length - most} more`, ...head.slice(1).map(() => '')])] : []),
];

export const folded = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', `<details><summary>${title}</summary>`, '', ...lines, '', '</details>'];

const summary = (report: Report, columns: readonly Column[]): string[] => {
  const best = headline(report)?.id;
  const name = ({ stage: { id }, kind }: Row): string => {
    if (kind !== 'stage') return `*${inert(id)}*`;
    return id === best ? `**${inert(id)}**` : inert(id);
  };
  const shown = telling(report, columns);
  return table(
    ['stage', ...shown.map((column) => column.title)],
    tellingRows(report, shown).map((row) => [name(row), ...shown.map((column) => cellOf(column, row, report))]),
  );
};

/** The second table, which is not folded: who asked for several seeds asked for it. */
const overSeeds = (report: Report): string[] => {
  const caption = seedsCaption(report);
  const shown = tellingSeeds(report);
  return caption === undefined || shown.stages.length === 0
    ? []
    : ['', caption, '', ...summary(shown, seedsBlock(report))];
};

const grid = (
  report: Report,
  latencyOf: (stage: StageReport) => readonly LatencyReport[] = ({ latency }) => latency,
): string[] => {
  const measured = report.stages.filter((stage) => latencyOf(stage).length > 0);
  const cells = cellsOf(measured.map(latencyOf));
  const entry = (cell: LatencyReport | undefined): string => {
    if (cell === undefined) return '';
    const ratio = speedupText(cell);
    const times = `${p50Text(cell)} / ${timeText(cell, cell.p90Ms)} / ${timeText(cell, cell.p99Ms)}${ratio === '' ? '' : ` (${ratio})`}`;
    return `${times}, ${textsPerSecond(cell)}`;
  };
  return cells.length === 0
    ? []
    : table(
        ['stage', ...cells.map(({ batch, length }) => [`batch ${batch}`, ...lengthText(report, length)].join(', '))],
        measured.map((stage) => [inert(stage.id), ...cells.map((at) => entry(cellAt(latencyOf(stage), at)))]),
      );
};

const threadsOf = ({ measurement }: Report): string =>
  measurement === null ? '' : `, ${measurement.threads} ${measurement.threads === 1 ? 'thread' : 'threads'}`;

const loading = ({ stages }: Report): string[] => {
  const loaded = stages.flatMap(({ id, loading: one }) => (one === null ? [] : [{ id, ...one }]));
  return loaded.length === 0
    ? []
    : table(
        ['stage', 'session ms', 'first run ms', 'peak memory'],
        loaded.map((one) => [
          ...[inert(one.id), timeText(one, one.sessionMs), timeText(one, one.firstRunMs)],
          bytes(one.peakBytes),
        ]),
      );
};

const LISTED = 5;

const classes = (report: Report): string[] => {
  const { changes, writeChange } = metricOf(report);
  const comparison = headline(report)?.comparisons.find(({ role }) => role === 'reference');
  const sorted = comparison?.classes.toSorted((a, b) => a.difference.estimate - b.difference.estimate) ?? [];
  const clear = sorted.filter(({ difference: { low, high } }) => low > 0 || high < 0);
  const shown = clear.length > 2 * LISTED ? [...clear.slice(0, LISTED), ...clear.slice(-LISTED)] : clear;
  return shown.length === 0
    ? []
    : table(
        ['class', `${changes} [95 %]`],
        shown.map(({ label, difference }) => [
          inert(label),
          `${writeChange(difference.estimate)} ${range(difference, writeChange)}`,
        ]),
      );
};

const causes = (report: Report): string[] =>
  (headline(report)?.causes ?? [])
    .slice(0, LISTED)
    .map(
      ({ finding, advice, about, share }) =>
        `- ${inert(finding)}${share === null ? '' : ` (${percent(share)} % of the ${about})`}: ${inert(advice)}`,
    );

const gates = ({ gates: judged }: Report): string[] => [
  ...byUrgency(judged)
    .slice(0, LISTED)
    .map((gate) => `- ${inert(gateSentence(gate), LONGEST_VERDICT)}`),
  ...(judged.length > LISTED ? [`- and ${judged.length - LISTED} more`] : []),
];

const notes = ({ stages }: Report): string[] =>
  stages.flatMap(({ id, notes: said }) => said.map((note) => `- ${inert(id)}: ${inert(note)}`)).slice(0, LISTED);

/** The other ways are longer than a comment has room for: they are in the page and in the folder's README. */
const useLines = (report: Report): string[] => {
  const use = useOf(report);
  return use === null ? [] : ['', `Use it, in the folder of this report: <code>${inert(use.command)}</code>`];
};

const MOST_REMARKS = 3;

/** What is to be known of the data stands where nobody has to unfold it. */
const remarks = ({ data }: Report): string[] =>
  data.remarks.slice(0, MOST_REMARKS).flatMap((remark) => ['', `Of the data: ${inert(remark, LONGEST_VERDICT)}.`]);

const origin = (report: Report): string => {
  const asked = askedBesides(report);
  return `${asked === undefined ? '' : `run with ${inert(asked)}, `}${circumstances(report)}`;
};

const circumstances = ({ seed, environment: at, seconds: spent }: Report): string =>
  `seed ${seed}, ${inert(at.cpu)}, ${at.threads} threads, Node ${inert(at.node)}, ONNX Runtime ${inert(at.onnxruntime)}, decant ${inert(at.decant)}, ${seconds(spent)} s`;

const dataLine = (report: Report): string => {
  const { data } = report;
  return `${[
    ...(data.classes.length === 0
      ? [`${whole(data.train + data.unlabelled)} training ${metricOf(report).inputs}`]
      : [`${whole(data.train)} labelled, ${whole(data.unlabelled)} unlabelled`]),
    testSize(report),
    ...(data.classes.length === 0 ? [] : [`${data.classes.length} classes`]),
  ].join(', ')}.`;
};

const captionLine = (report: Report): string[] => {
  const caption = latencyCaption(report);
  const parts = [controlNote(report), caption, report.stages.some(({ cached }) => cached) ? REUSED : undefined].filter(
    (part) => part !== undefined,
  );
  return parts.length === 0 ? [] : ['', `${inert(parts.join('; '), LONGEST_VERDICT)}.`];
};

/** report.md: the verdict and one table, the rest folded; parts that no longer fit a comment are left to report.html. */
export const renderMarkdown = (report: Report): string => {
  const lines = [
    `# ${inert(report.name)}`,
    '',
    `**${inert(verdict(report), LONGEST_VERDICT)}**`,
    '',
    ...summary(report, mainBlocks(report).flat()),
  ];
  const busy = busyNote(report);
  const cause = mainCause(report);
  lines.push(
    ...captionLine(report),
    ...(busy === undefined ? [] : ['', `${inert(busy, LONGEST_VERDICT)}.`]),
    '',
    dataLine(report),
    ...remarks(report),
    ...(cause === undefined ? [] : ['', inert(cause, LONGEST_VERDICT)]),
  );
  const end = ['', origin(report)];
  const parts = [
    overSeeds(report),
    folded(`Gates: ${gateCount(report.gates)}`, gates(report)),
    entityLines(report),
    answersLines(report),
    folded('Classes that gained and lost', classes(report)),
    folded('Why it is not faster', causes(report)),
    folded(`Latency in ms: p50 / p90 / p99 (speed-up), texts a second${threadsOf(report)}`, grid(report)),
    ...otherEngines(report).map(({ engine }) =>
      folded(
        `The same on ${engine}`,
        grid(report, (stage) => latencyOn(stage, engine)),
      ),
    ),
    bitsLines(report),
    folded('Shape and cost', summary(report, detailBlock(report))),
    folded('Loading and memory', loading(report)),
  ];
  // How the result is used and what is to be known of the figures is never crowded out by more of them.
  const last = [...useLines(report), ...folded('Notes', notes(report)), ...end];
  for (const part of parts) if (lines.length + part.length + last.length <= MOST_LINES) lines.push(...part);
  return `${[...lines, ...last].join('\n')}\n`;
};
