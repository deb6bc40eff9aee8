import { allNotes } from '../../columns.ts';
import { whole } from '../../figures.ts';
import { metricOf } from '../../metric.ts';
import type { Report } from '../../report.ts';
import { manyLines } from '../../text.ts';
import { escaped, type Html, html, trusted } from '../html.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

const facts = (rows: readonly (readonly [string, string])[], label: string): Html =>
  table(
    [
      { title: 'what', cell: ([name]) => name },
      { title: 'value', text: true, cell: ([, value]) => value },
    ],
    rows,
    label,
  );

/** The machine, the versions and the data that the figures hold for. */
export const environmentSection = (report: Report): Section => {
  const { environment: at, data, seed, created } = report;
  const { inputs, isToReference } = metricOf(report);
  return {
    id: 'environment',
    title: 'Data and environment',
    body: facts(
      [
        ['data', data.uses],
        [`${isToReference ? 'training' : 'labelled'} ${inputs}`, whole(data.train)],
        [`unlabelled ${inputs}`, whole(data.unlabelled)],
        [`validation ${inputs}`, whole(data.validation)],
        [`test ${inputs}`, whole(data.test)],
        ...(data.classes.length === 0 ? [] : [['classes', whole(data.classes.length)] as const]),
        ['seed', `${seed}`],
        ['CPU', at.cpu],
        ['instruction sets', at.cpuFlags.length === 0 ? 'not told by the system' : at.cpuFlags.join(', ')],
        ['threads', `${at.threads}`],
        ['Node', at.node],
        ['ONNX Runtime', at.onnxruntime],
        ['decant', at.decant],
        ['created', created],
      ],
      'Data and environment',
    ),
  };
};

/** What stages said about their work. */
export const notesSection = (report: Report): Section | null => {
  const noted = allNotes(report);
  if (noted.length === 0) return null;
  return {
    id: 'notes',
    title: 'Notes',
    body: html`<ul>${noted.map(([id, note]) => html`<li><b>${id}</b>: ${note}</li>\n`)}</ul>`,
  };
};

/** A word of a POSIX command line. */
const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** The exact file and the command that makes this report again. */
export const reproduceSection = ({ pipeline, environment }: Report): Section | null => {
  if (pipeline.yaml.trim() === '') return null;
  const settings = pipeline.overrides.map((setting) => ` --set ${shellWord(setting)}`).join('');
  const until = pipeline.until === undefined ? '' : ` --until ${shellWord(pipeline.until)}`;
  const command = `npx decant run pipeline.yaml --threads ${environment.threads}${settings}${until}`;
  return {
    id: 'reproduce',
    title: 'How to make it again',
    body: html`<p>Save this as <code>pipeline.yaml</code>, then with decant ${environment.decant}:</p>
<pre tabindex="0"><code>${command}</code></pre>
<pre tabindex="0"><code>${trusted(escaped(manyLines(pipeline.yaml)))}</code></pre>`,
  };
};
