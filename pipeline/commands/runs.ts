import type { Command } from 'commander';
import { bytes } from '../../reports/figures.ts';
import { layOut } from '../../reports/terminal.ts';
import { fitted, jsonForPeople, oneLine } from '../../reports/text.ts';
import { type ListedRun, runs } from '../api/index.ts';
import { duration } from '../view/text.ts';
import { exit } from './common.ts';

const examples = `
Examples:
  $ decant runs                            every report in runs/, the newest first
  $ decant runs runs/NAME                  those of one run
  $ decant runs --json                     one JSON document
  $ decant diff runs/NAME@1 runs/NAME      an older report beside the newest
  $ decant report runs/NAME@2026-11-29     one by its date (UTC)

A star marks the report that the run's folder shows: its models and exported folders lie there, too.
Exit codes: 0 done, 2 the request was wrong.`;

const LONGEST = 60;

/** What was asked for besides the file. */
const asked = ({ overrides, until }: ListedRun): string =>
  [...overrides.map((setting) => `--set ${setting}`), ...(until === null ? [] : [`--until ${until}`])].join(' ');

/** To the minute, as report and diff take it. */
const minute = (created: string): string => created.slice(0, 16);

const cells = (row: ListedRun): readonly string[] => [
  oneLine(row.run),
  row.shown ? '*' : '',
  minute(row.created),
  row.state,
  row.seconds === null ? '' : duration(row.seconds),
  row.stages.length === 0 ? '' : `${row.stages.length}`,
  row.headline === null ? '' : oneLine(`${row.headline.stage} ${row.headline.text}`),
  bytes(row.bytes),
  fitted(oneLine(asked(row)), LONGEST),
];

const head = ['run', '', 'ended (UTC)', 'state', 'took', 'stages', 'result', 'size', 'with'];

const render = (rows: readonly ListedRun[], folder: string): string => {
  if (rows.length === 0) return `${folder} holds no runs yet: decant run leaves them there.\n`;
  const problems = rows.flatMap(({ run, problem }) => (problem === null ? [] : [oneLine(`${run}: ${problem}`)]));
  return `${[...layOut([head, ...rows.map(cells)]), ...problems].join('\n')}\n`;
};

/** `decant runs`. */
export const runsCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('runs')
    .argument('[folder]', 'folder of runs, or of one run', 'runs')
    .summary('list the runs in a folder, the newest first')
    .description(
      'List the reports of runs, older ones included: when, whether complete, how long, the result, the size.',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (folder: string, { json }: { readonly json?: boolean }) => {
      const rows = await runs(folder);
      const text =
        json === true ? jsonForPeople({ schema: 'decant.runs/1', folder, runs: rows }) : render(rows, folder);
      process.stdout.write(text);
      end(exit.done);
    });
};
