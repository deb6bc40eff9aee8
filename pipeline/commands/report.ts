import { stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { messageOf, systemCode } from '../../ground/errors.ts';
import { type ReportFormat, renderReport, report } from '../api/index.ts';
import { requestError } from '../diagnostic.ts';
import { writeWhole } from '../store/atomic.ts';
import { exit } from './common.ts';
import { show } from './show.ts';

const formats: readonly ReportFormat[] = ['text', 'md', 'html', 'json', 'csv'];
interface Options {
  readonly format?: ReportFormat;
  readonly out?: string;
  readonly open?: boolean;
}

const examples = `
Examples:
  $ decant report runs/NAME                        the table of the run again
  $ decant report runs/NAME --open                 the whole report in the browser
  $ decant report runs/NAME --format md            for a pull-request comment
  $ decant report runs/NAME --out stages.csv       for a spreadsheet
  $ decant report runs/NAME@2                      an older report of the run: decant runs lists them
  $ decant report runs/NAME/report.json --format html --out report.html

Nothing is run or measured: the report is made from what the run recorded.`;

/** What was asked for, else what the name of the file says, else a page to look at or a table to read. */
const formatOf = ({ format, out, open }: Options): ReportFormat => {
  if (format !== undefined) return format;
  const named = formats.find((known) => out !== undefined && extname(out).slice(1).toLowerCase() === known);
  return named ?? (open === true ? 'html' : 'text');
};

const write = async (file: string, text: string): Promise<void> => {
  await writeWhole(file, text).catch((error: unknown) => {
    if (systemCode(error) === '') throw error;
    throw requestError(`${file} cannot be written: ${messageOf(error)}; name another file with --out`);
  });
};

/** Beside the report, also when its path names report.json itself. */
const besideReport = async (path: string, format: ReportFormat): Promise<string> => {
  const { reportFolder } = await import('../../reports/history.ts');
  const found = await reportFolder(path);
  const folder = (await stat(found)).isDirectory() ? found : resolve(found, '..');
  return join(folder, `report.${format === 'text' ? 'txt' : format}`);
};

const showReport = async (path: string, options: Options): Promise<number> => {
  const format = formatOf(options);
  const { wantsColor } = await import('../view/choose.ts');
  const terminal = { columns: process.stdout.columns || 120, color: wantsColor(process.stdout) };
  const text = await renderReport(await report(path), format, terminal);
  const file = options.out ?? (options.open === true ? await besideReport(path, format) : undefined);
  if (file === undefined) process.stdout.write(text);
  else await write(file, text);
  if (file !== undefined) process.stdout.write(`${file}\n`);
  if (options.open === true && file !== undefined) await show(resolve(file));
  return exit.done;
};

/** `decant report`. */
export const reportCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('report')
    .argument('<run>', 'folder of a run, one of its reports (RUN@2, RUN@2026-11-29T05:03), or a report.json')
    .summary('show the report of a run again, in any format')
    .description('Render the report of a run from its records, without running anything.')
    .addOption(new Option('--format <name>', 'what to write (default: text, or as --out is named)').choices(formats))
    .option('--out <file>', 'write to a file instead of standard output')
    .option('--open', 'show the page in the browser')
    .addHelpText('after', examples)
    .action(async (path: string, options: Options) => end(await showReport(path, options)));
};
