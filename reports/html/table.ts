import { type Html, html, nothing } from './html.ts';

export interface HtmlColumn<Row> {
  readonly title: string;
  /** Text is set left, figures right. The first column is a row heading. */
  readonly text?: boolean;
  cell(row: Row): Html | string;
}

interface Options<Row> {
  readonly caption?: string;
  /** Rows that stand out. */
  readonly strong?: (row: Row) => boolean;
}

const alignment = (text: boolean | undefined): Html => (text === true ? html` class="text"` : nothing);

/** A table that scrolls by itself when the page is narrower, reachable from the keyboard. */
export const table = <Row>(
  columns: readonly HtmlColumn<Row>[],
  rows: readonly Row[],
  label: string,
  { caption, strong }: Options<Row> = {},
): Html => html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table>
${caption === undefined ? nothing : html`<caption>${caption}</caption>`}
<thead><tr>${columns.map((column, c) => html`<th scope="col"${alignment(c === 0 || column.text)}>${column.title}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr${strong?.(row) === true ? html` class="strong"` : nothing}>${columns.map((column, c) => cell(column, row, c))}</tr>\n`)}</tbody>
</table></div>`;

const cell = <Row>(column: HtmlColumn<Row>, row: Row, c: number): Html =>
  c === 0
    ? html`<th scope="row" class="text">${column.cell(row)}</th>`
    : html`<td${alignment(column.text)}>${column.cell(row)}</td>`;
