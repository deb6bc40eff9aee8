import { styleText } from 'node:util';
import { askedBesides } from './asked.ts';
import { allNotes, type Column, columnBlocks, latencyCaption, REUSED, telling, testSize } from './columns.ts';
import { seconds } from './figures.ts';
import { byUrgency, gateCount, gateSentence } from './gates/words.ts';
import type { Report } from './report.ts';
import { ABSENT, baselineNote, cellOf, controlNote, type Row, rowsOf, tellingRows } from './rows.ts';
import { seedsBlock, seedsCaption, tellingSeeds } from './seeds-columns.ts';
import { busyNote } from './speed.ts';
import { fitted, oneLine, terminalWidth } from './text.ts';
import { mainCause, verdict } from './verdict.ts';

interface Options {
  readonly columns: number;
  readonly color: boolean;
}

const GAP = '  ';
const LONGEST_NAME = 24;
/** Below this a table does not fit: figures stand below each other. */
export const NARROWEST_TABLE = 48;
export const ASSUMED_COLUMNS = 80;

const padded = (text: string, width: number): string => ' '.repeat(Math.max(0, width - terminalWidth(text)));

/** Rows as columns: figures end at one place, the columns in `left` begin at one. */
export const layOut = (rows: readonly (readonly string[])[], left: readonly number[] = [0]): string[] => {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => terminalWidth(row[c] ?? ''))));
  const cell = (text: string, c: number): string => {
    const space = padded(text, widths[c] ?? 0);
    return left.includes(c) ? `${text}${space}` : `${space}${text}`;
  };
  return rows.map((row) => row.map(cell).join(GAP).trimEnd());
};

const nameOf = ({ short }: Row): string => fitted(oneLine(short), LONGEST_NAME);

const linesOf = (report: Report, columns: readonly Column[]): string[] =>
  layOut([
    ['stage', ...columns.map((column) => column.title)],
    ...tellingRows(report, columns).map((row) => [
      nameOf(row),
      ...columns.map((column) => cellOf(column, row, report)),
    ]),
  ]);

const widest = (lines: readonly string[]): number => Math.max(...lines.map(terminalWidth));

/** Columns joined greedily into as few tables as fit the terminal; a block is only split where it alone is too wide. */
const tables = (report: Report, given: readonly (readonly Column[])[], width: number): string[][] => {
  const fits = (columns: readonly Column[]): boolean => widest(linesOf(report, columns)) <= width;
  const blocks = given
    .map((block) => telling(report, block))
    .flatMap((block) => (fits(block) ? [block] : block.map((column) => [column])));
  const groups: (readonly Column[])[] = [];
  for (const block of blocks) {
    const wider = [...(groups.at(-1) ?? []), ...block];
    if (groups.length > 0 && fits(wider)) groups.splice(-1, 1, wider);
    else groups.push(block);
  }
  return groups.map((columns) => linesOf(report, columns));
};

/** One figure a line, for terminals that no table fits. */
const list = (report: Report, blocks: readonly (readonly Column[])[], width: number): string[][] =>
  rowsOf(report).map((row) => [
    fitted(oneLine(row.short), width),
    ...telling(report, blocks.flat()).flatMap((column) => {
      const value = cellOf(column, row, report);
      if (value === '' || value === ABSENT) return [];
      const gap = width - 2 - column.title.length - value.length;
      return gap > 0
        ? [`  ${column.title}${' '.repeat(gap)}${value}`]
        : [fitted(`  ${column.title}`, width), fitted(value.padStart(width), width)];
    }),
  ]);

/** Words in lines of at most `width` cells. */
export const wrapped = (text: string, width: number): string[] => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const joined = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && terminalWidth(joined) <= width) lines.splice(-1, 1, joined);
    else lines.push(fitted(word, width));
  }
  return lines;
};

/** Gates, failed ones first. */
const gateLines = ({ gates }: Report, width: number): string[] => [
  ...wrapped(`Gates: ${gateCount(gates)}`, width),
  ...byUrgency(gates).flatMap((gate) => wrapped(oneLine(gateSentence(gate)), width)),
];

/** What is to be known of the data, and what stages said about their work. */
const noteLines = (report: Report, width: number): string[] =>
  allNotes(report).flatMap(([id, note]) => wrapped(oneLine(`${id}: ${note}`), width));

const secondsInAll = ({ seconds: one, seeds }: Report): number =>
  seeds === undefined ? one : seeds.seconds.reduce((sum, spent) => sum + spent, 0);

/** The closing table of a run, without escape codes of any text of the run. Zero columns (some terminals) count as 80. */
export const renderTable = (report: Report, { columns, color }: Options): string => {
  const bold = (text: string): string => (color ? styleText('bold', text, { validateStream: false }) : text);
  const dim = (text: string): string => (color ? styleText('dim', text, { validateStream: false }) : text);
  const width = columns > 0 ? columns : ASSUMED_COLUMNS;
  const lines = [...wrapped(verdict(report), width).map(bold), ''];
  const busy = busyNote(report);
  if (busy !== undefined) lines.push(...wrapped(`${busy}.`, width), '');
  const cause = mainCause(report);
  if (cause !== undefined) lines.push(...wrapped(cause, width), '');
  const show = (shown: Report, blocks: readonly (readonly Column[])[]): void => {
    const made = width < NARROWEST_TABLE ? list(shown, blocks, width) : tables(shown, blocks, width);
    for (const [head, ...rows] of made) lines.push(bold(head ?? ''), ...rows, '');
  };
  show(report, columnBlocks(report));
  const several = seedsCaption(report);
  if (several !== undefined) {
    lines.push(...wrapped(several, width), '');
    show(tellingSeeds(report), [seedsBlock(report)]);
  }
  const asked = askedBesides(report);
  const ends = [
    baselineNote(report),
    controlNote(report),
    latencyCaption(report),
    report.stages.some(({ cached }) => cached) ? REUSED : undefined,
    `${testSize(report)}; ${seconds(secondsInAll(report))} s in all`,
    asked === undefined ? undefined : `run with ${asked}`,
  ];
  for (const end of ends) if (end !== undefined) lines.push(...wrapped(end, width).map(dim));
  const notes = noteLines(report, width);
  if (notes.length > 0) lines.push('', ...notes);
  if (report.gates.length > 0) lines.push('', ...gateLines(report, width));
  return `${lines.join('\n')}\n`;
};
