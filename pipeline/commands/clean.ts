import { join, relative } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { bytes, whole } from '../../reports/figures.ts';
import { jsonForPeople } from '../../reports/text.ts';
import { type Cleaned, clean } from '../api/index.ts';
import { exit, folderName, wholeNumber } from './common.ts';

interface Options {
  readonly dryRun?: boolean;
  readonly keepRuns?: number;
  readonly older?: number;
  readonly store: string;
  readonly runs: string;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ decant clean --dry-run                 what could be freed, in bytes
  $ decant clean                           what no run in runs/ needs any more
  $ decant clean --keep-runs 3             keep the three newest reports of each run, and what they need
  $ decant clean --older 30d --dry-run     what only runs of more than 30 days ago need
  $ decant clean --json                    one JSON document

Without --keep-runs and --older every report is kept, and so is what an interrupted run has computed. What a run's
folder shows (report, models, exported folders) always stays: delete the folder to be rid of it. Results that were
freed are computed again when a run needs them.
Exit codes: 0 done, 2 the request was wrong, or a run is at work in the store.`;

const DAY_MS = 24 * 60 * 60 * 1000;
const units: Readonly<Record<string, number>> = { h: DAY_MS / 24, d: DAY_MS, w: 7 * DAY_MS };

/** A time such as 30d, 12h or 4w, in milliseconds. */
const age = (text: string): number => {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([hdw])$/.exec(text) ?? [];
  const ms = Number(digits) * (units[unit] ?? Number.NaN);
  if (ms > 0) return ms;
  throw new InvalidArgumentError('Expected a time in hours, days or weeks, such as 12h, 30d or 4w.');
};

type Kind = keyof Cleaned['kinds'];

const words: Readonly<Record<Kind, string>> = {
  leftovers: 'left by processes that are gone',
  reports: 'older reports',
  results: 'results that no kept run needs',
  checkpoints: 'saved states that no kept run needs',
};

const exact = (size: number): string => `${whole(size)} bytes`;

const amount = ({ files, bytes: size }: Cleaned['kinds'][Kind]): string => `${exact(size)} in ${whole(files)} files`;

const render = ({ store, dryRun, bytes: sum, kinds, kept }: Cleaned): string => {
  const order: readonly Kind[] = ['leftovers', 'reports', 'results', 'checkpoints'];
  const width = Math.max(...order.map((kind) => words[kind].length));
  const short = sum < 1000 ? '' : ` (${bytes(sum)})`;
  const lines = [
    `${dryRun ? 'Would free' : 'Freed'} ${exact(sum)}${short} of ${relative(process.cwd(), store) || store}`,
    ...order.map((kind) => `  ${words[kind].padEnd(width)}  ${amount(kinds[kind])}`),
  ];
  const { checkpoints, unfinished } = kept;
  if (checkpoints.files > 0) {
    lines.push(
      `Kept: ${whole(checkpoints.files)} saved ${checkpoints.files === 1 ? 'state' : 'states'} of interrupted steps, ${exact(checkpoints.bytes)}; --keep-runs or --older frees those that no kept run needs.`,
    );
  }
  const folders = [...new Set(unfinished)].map((out) => relative(process.cwd(), out) || out);
  if (folders.length > 0) lines.push(`Kept: what unfinished runs in ${folders.join(', ')} have computed.`);
  return `${lines.join('\n')}\n`;
};

/** `decant clean`. */
export const cleanCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('clean')
    .summary('free what no run needs any more, and say how many bytes')
    .description(
      'Free stored results, saved states and older reports that no kept run needs, and what dead processes left.',
    )
    .option('--dry-run', 'free nothing, say what would be freed')
    .option('--keep-runs <n>', 'keep the newest reports of each run and what they need', wholeNumber(1, 1_000_000))
    .addOption(new Option('--older <time>', 'free what only older runs need: 12h, 30d, 4w').argParser(age))
    .option('--store <dir>', 'folder of cached results', folderName, join('.decant', 'store'))
    .option('--runs <dir>', 'folder of runs, besides those that the store knows of', folderName, 'runs')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (options: Options) => {
      const { older: olderThanMs, ...asked } = options;
      const cleaned = await clean({ ...asked, ...(olderThanMs === undefined ? {} : { olderThanMs }) });
      process.stdout.write(options.json === true ? jsonForPeople(cleaned) : render(cleaned));
      end(exit.done);
    });
};
