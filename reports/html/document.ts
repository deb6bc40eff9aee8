import { type Html, html, trusted } from './html.ts';
import { renderSection, type Section } from './sections/section.ts';
import { style } from './style.ts';
import { explanations } from './terms.ts';

/** A page of named sections. `first` is the id that the link for keyboards leads to. */
export interface Page {
  readonly title: string;
  readonly name: string;
  readonly subtitle: string;
  readonly verdict: string;
  /** What stands above the table of contents. */
  readonly lead: Html;
  readonly sections: readonly Section[];
  readonly first?: string;
  readonly footer: string;
}

const contents = (sections: readonly Section[]): Html =>
  html`<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;

const skip = (first: string | undefined): Html | null =>
  first === undefined ? null : html`<a class="skip" href="#${first}">Skip to the results</a>\n`;

/** One self-contained file that loads nothing: its own policy forbids it. */
export const renderPage = ({ title, name, subtitle, verdict, lead, sections, first, footer }: Page): string => {
  const rendered = html`${sections.map(renderSection)}`;
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${trusted(style)}</style>
</head>
<body>
${skip(first)}<header>
<h1>${name} <small>${subtitle}</small></h1>
<p class="verdict">${verdict}</p>
${lead}
${contents(sections)}
</header>
<main>
${rendered}</main>
${explanations(html`${lead}${rendered}`)}<footer>${footer}</footer>
</body>
</html>
`;
  return markup;
};
