import { styleText } from 'node:util';
import { ASSUMED_COLUMNS, layOut, NARROWEST_TABLE, wrapped } from '../terminal.ts';
import { fitted, terminalWidth } from '../text.ts';
import { pairColumns, recipeColumns, stageColumns, type ViewColumn } from './columns.ts';
import type { Comparison } from './comparison.ts';
import { type ListedFacts, viewOf } from './view.ts';

interface Options {
  readonly columns: number;
  readonly color: boolean;
}

type Bold = (text: string) => string;

/** A table, or one row a paragraph where the terminal is too narrow for it. */
const tableLines = <Row>(
  columns: readonly ViewColumn<Row>[],
  rows: readonly Row[],
  width: number,
  [bold, strong]: readonly [Bold, (row: Row) => boolean],
): readonly string[] => {
  const left = columns.flatMap(({ text }, at) => (text === true ? [at] : []));
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const [head = '', ...lines] = layOut([columns.map(({ title }) => title), ...cells], left);
  const emphasized = (line: string, row: Row | undefined): string =>
    row !== undefined && strong(row) ? bold(line) : line;
  if (Math.max(...[head, ...lines].map(terminalWidth)) <= width && width >= NARROWEST_TABLE) {
    return [bold(head), ...lines.map((line, i) => emphasized(line, rows[i]))];
  }
  return rows.flatMap((row) => {
    const [name, ...figures] = columns.map(({ title, cell }) => [title, cell(row)] as const);
    const told = figures.filter(([, text]) => text !== '').map(([title, text]) => `${title} ${text}`);
    return wrapped(`${name?.[1] ?? ''}: ${told.join(', ')}`, width).map((line) => emphasized(line, row));
  });
};

const factLines = ({ title, items }: ListedFacts, width: number, bold: Bold): readonly string[] => [
  '',
  ...wrapped(title, width).map(bold),
  ...items.flatMap((item) => {
    const [first = '', ...rest] = wrapped(item, Math.max(1, width - 4));
    return [`  ${first}`, ...rest.map((line) => `    ${line}`)].map((line) => fitted(line, width));
  }),
];

/** A comparison for a terminal. Zero columns count as 80. */
export const renderComparisonText = (comparison: Comparison, { columns, color }: Options): string => {
  const styled = (style: 'bold' | 'dim', text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const bold: Bold = (text) => styled('bold', text);
  const width = columns > 0 ? columns : ASSUMED_COLUMNS;
  const view = viewOf(comparison);
  const { pairs, stages } = view;
  const isClear = ({ clear }: { readonly clear: boolean }): boolean => clear;
  const lines = [
    ...wrapped(view.verdict, width).map(bold),
    '',
    ...tableLines(recipeColumns(view), view.rows, width, [bold, isClear]),
    ...(pairs.length === 0 ? [] : ['', ...tableLines(pairColumns(view), pairs, width, [bold, isClear])]),
    ...(stages.length === 0 ? [] : ['', ...tableLines(stageColumns(view), stages, width, [bold, () => false])]),
    ...(view.note === '' ? [] : ['', ...wrapped(view.note, width).map((line) => styled('dim', line))]),
    ...view.facts.flatMap((facts) => factLines(facts, width, bold)),
  ];
  return `${lines.join('\n')}\n`;
};
