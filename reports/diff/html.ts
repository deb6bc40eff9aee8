import { type Html, html, trusted } from '../html/html.ts';
import { renderSection, type Section } from '../html/sections/section.ts';
import { style } from '../html/style.ts';
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

const contents = (sections: readonly Section[]): Html =>
  html`<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;

/** A diff as one self-contained page in the style of report.html. All text is escaped. */
export const renderDiffHtml = (diff: Diff): string => {
  const view = viewOf(diff);
  const sections = sectionsOf(view);
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${diff.after.name}: decant diff</title>
<style>${trusted(style)}</style>
</head>
<body>
<header>
<h1>${diff.after.name} <small>A against B</small></h1>
<p class="verdict">${view.verdict}</p>
<p>A: ${view.sides[0]}<br>B: ${view.sides[1]}</p>
${contents(sections)}
</header>
<main>
${sections.map(renderSection)}</main>
<footer>Made by decant diff. What is noise is called noise.</footer>
</body>
</html>
`;
  return markup;
};
