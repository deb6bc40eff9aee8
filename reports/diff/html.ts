import { renderPage } from '../html/document.ts';
import { html } from '../html/html.ts';
import type { Section } from '../html/sections/section.ts';
import { type HtmlColumn, table } from '../html/table.ts';
import type { Diff } from './diff.ts';
import { type DiffView, type Row, viewOf } from './view.ts';

const columns: readonly HtmlColumn<Row>[] = [
  { title: 'stage', cell: ({ stage }) => stage },
  { title: 'figure', text: true, cell: ({ figure }) => figure },
  { title: 'A', cell: ({ before }) => before },
  { title: 'B', cell: ({ after }) => after },
  { title: 'B against A [interval]', cell: ({ change }) => change },
  { title: 'verdict', text: true, cell: ({ verdict }) => verdict },
];

const sectionsOf = ({ rows, note, facts }: DiffView): readonly Section[] => [
  ...(rows.length === 0
    ? []
    : [
        {
          id: 'comparisons',
          title: 'Comparisons',
          body: html`${table(columns, rows, 'Comparisons', { strong: ({ clear }) => clear })}<p class="note">${note}</p>`,
        },
      ]),
  ...facts.map(({ title, items }, i) => ({
    id: `facts-${i}`,
    title,
    body: html`<ul>${items.map((item) => html`<li>${item}</li>\n`)}</ul>`,
  })),
];

/** A diff as one self-contained page in the style of report.html. All text is escaped. */
export const renderDiffHtml = (diff: Diff): string => {
  const view = viewOf(diff);
  return renderPage({
    title: `${diff.after.name}: decant diff`,
    name: diff.after.name,
    subtitle: 'A against B',
    verdict: view.verdict,
    lead: html`<p>A: ${view.sides[0]}<br>B: ${view.sides[1]}</p>`,
    sections: sectionsOf(view),
    footer: 'Made by decant diff. What is noise is called noise.',
  });
};
