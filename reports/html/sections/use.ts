import type { Report } from '../../report.ts';
import { manyLines } from '../../text.ts';
import { useOf } from '../../use.ts';
import { escaped, type Html, html, trusted } from '../html.ts';
import type { Section } from './section.ts';

const code = (text: string): Html => html`<pre tabindex="0"><code>${trusted(escaped(manyLines(text)))}</code></pre>`;

const lines = (title: string, text: string): Html =>
  html`<details class="more"><summary>${title}</summary>${code(text)}</details>\n`;

/** What a reader does next. */
export const useSection = (report: Report): Section | null => {
  const use = useOf(report);
  if (use === null) return null;
  const { path, command, code: usage } = use;
  const more =
    usage === null
      ? html`<p>For other programs, export it: <code>npx decant export ${path} ./web</code>.</p>`
      : html`${lines('transformers.js in Node', usage.node)}${lines('transformers.js in a browser', usage.browser)}${lines('Python', usage.python)}`;
  return {
    id: 'use',
    title: 'Use it',
    body: html`<p>In the folder of this report:</p>${code(command)}${more}`,
  };
};
