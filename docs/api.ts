import { readFileSync } from 'node:fs';

const root = new URL('../pipeline/api/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');

/** One function of the API, as its source declares it. */
interface Declared {
  readonly name: string;
  readonly doc: string;
  readonly signature: string;
}

/** The lines of a comment as prose. */
const prose = (comment: string): string =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*\/?\*+\/?\s?|\s*\*\/\s*$/g, '').trim())
    .join(' ')
    .trim();

/** A parameter with a default may be left out. */
const parameters = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/(\w+): ([^:=]+) = (?:\{\}|\w+|'[^']*')/g, '$1?: $2')
    .replace(/^ |,? $/g, '')
    .trim();

const FUNCTION = /(\/\*\*(?:(?!\*\/).)*\*\/)\nexport const (\w+) = (?:async )?\((.*?)\): (.*?) =>\n?/gs;

const functionsIn = (source: string): readonly Declared[] =>
  [...source.matchAll(FUNCTION)].map(([, comment = '', name = '', given = '', result = '']) => ({
    name,
    doc: prose(comment),
    signature: `${name}(${parameters(given)}): ${result.replace(/\s+/g, ' ').trim()}`,
  }));

const section = ({ name, doc, signature }: Declared): string => `### ${name}

${doc}

\`\`\`ts
${signature}
\`\`\`
`;

/** Declarations as they stand in the source, without what it imports. */
const declarationsIn = (file: string): string =>
  read(file)
    .replace(/^import .*?;\n/gms, '')
    .replaceAll('export ', '')
    .trim();

const block = (title: string, file: string): string => `### ${title}

\`\`\`ts
${declarationsIn(file)}
\`\`\`
`;

const intro = `# API

What the command line does, for programs: \`import { run, predict } from 'decant'\`. Written by \`npm run docs\` from the
declarations; do not edit by hand. [examples/api.mjs](../examples/api.mjs) is a program that uses it,
[examples/foreign.mjs](../examples/foreign.mjs) one for ONNX files of any maker.

Nothing is printed, no process is ended, and nothing is done at import. What takes long is a job: await it for what it
comes to, iterate over it for what happens meanwhile, and stop it with an \`AbortSignal\`. What only the user can mend (a
file, a model, data) is a \`UserError\`, whose message says what was found, what was expected and what to do, and whose
\`code\` and \`facts\` say it to programs; a run that came to no end is one of these, a \`RunError\`, with \`step\` and
the report of what is done. Everything else that is thrown is a bug.
`;

/** docs/api.md: every function that 'decant' exports, with its options and results. */
export const renderApi = (): string => {
  const functions = functionsIn(read('index.ts'));
  const parts = [
    intro,
    '## Functions\n',
    ...functions.map(section),
    '## Options and results\n',
    block('Jobs', 'job-type.ts'),
    block('Pipelines and reports', 'types/pipelines.ts'),
    block('Models', 'types/models.ts'),
    block('Graphs of any maker', 'types/graphs.ts'),
    block('Answers', 'types/answers.ts'),
    block('What one answer says', '../../engine/tasks/told.ts'),
    block('Events of a run', '../events.ts'),
    block('A run that stops', 'run-error.ts'),
    '`gatesFail(diff.gates, strict)` says whether limits fail; `engineNames`, `dtypes` and `defaultThreads()` say what options take.\n',
    'The records of a report and of a diff are those of `report.json` (`decant schema report`) and of `decant diff --format json`.\n',
  ];
  return `${parts.join('\n').trimEnd()}\n`;
};
