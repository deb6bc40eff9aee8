import { type Html, html, nothing } from './html.ts';
import { explained } from './terms.ts';

export interface HtmlColumn<Row> {
  readonly title: string;
  /** Text is set left, figures right. The first column is a row heading. */
  readonly text?: boolean;
  /** The heading is set upright: columns are narrow. */
  readonly upright?: boolean;
  cell(row: Row): Html | string;
}

interface Options<Row> {
  readonly caption?: string;
  /** Rows that stand out. */
  readonly strong?: (row: Row) => boolean;
  /** Cells stand for themselves beside each other, as those of a matrix. */
  readonly matrix?: boolean;
}

const alignment = (text: boolean | undefined): Html => (text === true ? html` class="text"` : nothing);

const heading = <Row>({ title, text, upright }: HtmlColumn<Row>, c: number): Html =>
  upright === true
    ? html`<th scope="col" class="upright"><span>${title}</span></th>`
    : html`<th scope="col"${alignment(c === 0 || text)}>${explained(title)}</th>`;

/** A table that scrolls by itself when the page is narrower, reachable from the keyboard. */
export const table = <Row>(
  columns: readonly HtmlColumn<Row>[],
  rows: readonly Row[],
  label: string,
  { caption, strong, matrix }: Options<Row> = {},
): Html => html`<div class="scroll" role="group" aria-label="${label}" tabindex="0"><table${matrix === true ? html` class="matrix"` : nothing}>
${caption === undefined ? nothing : html`<caption>${caption}</caption>`}
<thead><tr>${columns.map((column, c) => heading(column, c))}</tr></thead>
<tbody>
${rows.map((row) => html`<tr${strong?.(row) === true ? html` class="strong"` : nothing}>${columns.map((column, c) => cell(column, row, c))}</tr>\n`)}</tbody>
</table></div>`;

const cell = <Row>(column: HtmlColumn<Row>, row: Row, c: number): Html =>
  c === 0
    ? html`<th scope="row" class="text">${column.cell(row)}</th>`
    : html`<td${alignment(column.text)}>${column.cell(row)}</td>`;
