import type { Table } from '../shapes.ts';
import { element, scrolling } from './dom.ts';

/** A table of figures; columns that are named in `texts` are set left. */
export const tableOf = (label: string, { columns, rows }: Table, texts: readonly string[] = []): HTMLElement => {
  const left = (i: number): { class: string } | Record<string, never> =>
    i === 0 || texts.includes(columns[i] ?? '') ? { class: 'text' } : {};
  const head = columns.map((title, i) => element('th', { scope: 'col', ...left(i) }, title));
  const body = rows.map(({ strong, cells }) =>
    element(
      'tr',
      strong ? { class: 'strong' } : {},
      ...cells.map((cell, i) =>
        i === 0 ? element('th', { scope: 'row', ...left(i) }, cell) : element('td', left(i), cell),
      ),
    ),
  );
  return scrolling(
    label,
    element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...body)),
  );
};
