import { styleText } from 'node:util';
import { baselineLines, type Column, columnBlocks, latencyCaption, seconds } from './columns.ts';
import type { Report } from './report.ts';

interface Options {
  readonly columns: number;
  readonly color: boolean;
}

const GAP = '  ';

const layOut = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
      .join(GAP)
      .trimEnd(),
  );
};

const linesOf = (report: Report, columns: readonly Column[]): string[] => {
  const shown = columns.filter((column) => report.stages.some((stage) => column.cell(stage, report) !== ''));
  return layOut([
    ['stage', ...shown.map((column) => column.title)],
    ...report.stages.map((stage) => [stage.id, ...shown.map((column) => column.cell(stage, report))]),
  ]);
};

const widest = (lines: readonly string[]): number => Math.max(...lines.map((line) => line.length));

/** Blocks of columns joined greedily into as few tables as fit the terminal. */
const tables = (report: Report, width: number): string[][] => {
  const done: string[][] = [];
  let open: readonly Column[] = [];
  for (const block of columnBlocks) {
    const wider = [...open, ...block];
    if (open.length > 0 && widest(linesOf(report, wider)) > width) {
      done.push(linesOf(report, open));
      open = block;
    } else {
      open = wider;
    }
  }
  return [...done, linesOf(report, open)];
};

/** The closing table of a run. Zero columns (some pseudo-terminals) count as 80. */
export const renderTable = (report: Report, { columns, color }: Options): string => {
  const bold = (text: string): string => (color ? styleText('bold', text, { validateStream: false }) : text);
  const dim = (text: string): string => (color ? styleText('dim', text, { validateStream: false }) : text);
  const lines: string[] = [];
  const baselines = baselineLines(report);
  if (baselines.length > 0) lines.push(`${bold('Baselines')}  ${baselines.join(', ')}`, '');
  for (const [head, ...rows] of tables(report, columns > 0 ? columns : 80)) {
    lines.push(bold(head ?? ''), ...rows, '');
  }
  const caption = latencyCaption(report);
  if (caption !== undefined) lines.push(dim(caption));
  lines.push(dim(`${report.data.test} test texts; ${seconds(report.seconds)} s in all`));
  return `${lines.join('\n')}\n`;
};
