import { folded, inert, table } from '../markdown.ts';
import { pairColumns, recipeColumns, stageColumns, type ViewColumn } from './columns.ts';
import type { Comparison } from './comparison.ts';
import { type ListedFacts, viewOf } from './view.ts';

const MOST_ITEMS = 12;
const LONGEST_VERDICT = 900;

/** A row that is told from chance says so in bold. */
const cellOf = <Row extends object>({ cell, text }: ViewColumn<Row>, row: Row): string => {
  if (text !== true) return cell(row);
  const isVerdict = 'verdict' in row && row.verdict === cell(row) && 'clear' in row && row.clear === true;
  return isVerdict ? `**${inert(cell(row))}**` : inert(cell(row));
};

const rowsOf = <Row extends object>(columns: readonly ViewColumn<Row>[], rows: readonly Row[]): readonly string[] =>
  rows.length === 0
    ? []
    : table(
        columns.map(({ title }) => title),
        rows.map((row) => columns.map((column) => cellOf(column, row))),
      );

const itemsOf = ({ items }: ListedFacts): readonly string[] => [
  ...items.slice(0, MOST_ITEMS).map((item) => `- ${inert(item)}`),
  ...(items.length > MOST_ITEMS ? [`- and ${items.length - MOST_ITEMS} more`] : []),
];

/** A comparison that fits a pull-request comment: recipes open, every other stage and what differs folded. */
export const renderComparisonMarkdown = (comparison: Comparison): string => {
  const view = viewOf(comparison);
  const pairs = rowsOf(pairColumns(view), view.pairs);
  const lines = [
    `## ${inert(view.name)}: recipes`,
    '',
    `**${inert(view.verdict, LONGEST_VERDICT)}**`,
    '',
    ...rowsOf(recipeColumns(view), view.rows),
    ...(pairs.length === 0 ? [] : ['', ...pairs]),
    ...(view.note === '' ? [] : ['', inert(view.note, LONGEST_VERDICT)]),
    ...folded('Other stages', [...rowsOf(stageColumns(view), view.stages)]),
    ...view.facts.flatMap((facts) => folded(inert(facts.title), [...itemsOf(facts)])),
  ];
  return `${lines.join('\n')}\n`;
};
