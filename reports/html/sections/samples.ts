import type { Report } from '../../report.ts';
import { html } from '../html.ts';
import type { Section } from './section.ts';

/** How each model writes on the beginning of a test text; absent where models write nothing. */
export const samplesSection = ({ stages }: Report): Section | null => {
  const samples = stages.flatMap(({ id, sample }) => (sample === undefined ? [] : [{ id, ...sample }]));
  const [first] = samples;
  if (first === undefined) return null;
  return {
    id: 'samples',
    title: 'What each model writes',
    body: html`<p>Behind the beginning of a test text: <q>${first.prompt}</q></p>
<dl>${samples.map(({ id, text }) => html`<dt>${id}</dt><dd>${text}</dd>\n`)}</dl>`,
  };
};
