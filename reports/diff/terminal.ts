import { styleText } from 'node:util';
import { ASSUMED_COLUMNS, layOut, NARROWEST_TABLE, wrapped } from '../terminal.ts';
import { fitted, terminalWidth } from '../text.ts';
import type { Diff } from './diff.ts';
import { type DiffView, type Row, viewOf } from './view.ts';

interface Options {
  readonly columns: number;
  readonly color: boolean;
}

const LONGEST_NAME = 20;

const cellsOf = ({ stage, figure, before, after, change, verdict }: Row): readonly string[] => [
  fitted(stage, LONGEST_NAME),
  figure,
  before,
  after,
  change,
  verdict,
];

const HEAD = ['stage', 'figure', 'A', 'B', 'B against A', ''];

/** The table, or one comparison a paragraph where the terminal is too narrow for it. */
const rowLines = (rows: readonly Row[], width: number): readonly (readonly [line: string, clear: boolean])[] => {
  if (rows.length === 0) return [];
  const [head = '', ...lines] = layOut([HEAD, ...rows.map(cellsOf)]);
  const fits = Math.max(...[head, ...lines].map(terminalWidth)) <= width && width >= NARROWEST_TABLE;
  if (fits) return [[head, false], ...lines.map((line, i) => [line, rows[i]?.clear === true] as const)];
  return rows.flatMap((row) =>
    wrapped(`${row.stage} ${row.figure}: ${row.before} -> ${row.after}, ${row.change}: ${row.verdict}`, width).map(
      (line) => [line, row.clear] as const,
    ),
  );
};

/** An item over several lines, all but the first further in. */
const itemLines = (item: string, width: number): readonly string[] => {
  const [first = '', ...rest] = wrapped(item, Math.max(1, width - 4));
  return [`  ${first}`, ...rest.map((line) => `    ${line}`)].map((line) => fitted(line, width));
};

const factLines = ({ facts }: DiffView, width: number, bold: (text: string) => string): readonly string[] =>
  facts.flatMap(({ title, items }) => [
    '',
    ...wrapped(title, width).map(bold),
    ...items.flatMap((item) => itemLines(item, width)),
  ]);

/** A diff for a terminal: the sentence, the comparisons, and what changed. Zero columns count as 80. */
export const renderDiffText = (diff: Diff, { columns, color }: Options): string => {
  const styled = (style: 'bold' | 'dim', text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const bold = (text: string): string => styled('bold', text);
  const width = columns > 0 ? columns : ASSUMED_COLUMNS;
  const view = viewOf(diff);
  const rows = rowLines(view.rows, width);
  const lines = [
    ...wrapped(view.verdict, width).map(bold),
    '',
    ...wrapped(`A: ${view.sides[0]}`, width),
    ...wrapped(`B: ${view.sides[1]}`, width),
    ...(rows.length === 0 ? [] : ['', ...rows.map(([line, clear]) => (clear ? bold(line) : line))]),
    ...(view.note === '' ? [] : ['', ...wrapped(view.note, width).map((line) => styled('dim', line))]),
    ...factLines(view, width, bold),
  ];
  return `${lines.join('\n')}\n`;
};
