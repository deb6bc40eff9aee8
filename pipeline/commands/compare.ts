import { type Command, Option } from 'commander';
import { type CompareOptions, compare, type DiffFormat, renderComparison } from '../api/index.ts';
import { exit } from './common.ts';
import { addToStepSummary } from './step-summary.ts';

const formats: readonly DiffFormat[] = ['text', 'md', 'json', 'html'];
interface Options extends CompareOptions {
  readonly format?: DiffFormat;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ decant compare runs/NAME                        the variants of a file: which wins, and what is chance
  $ decant compare runs/A runs/B runs/C             finished runs, B and C against A
  $ decant compare runs/NAME --baseline kl          against another recipe
  $ decant compare runs/NAME --pairs                each with each: the best against all others
  $ decant compare runs/NAME --by p50 --stage int8  by latency, of one stage
  $ decant compare runs/NAME --on validation        without a look at the test split: to choose one
  $ decant compare runs/NAME --format html > recipes.html
  $ decant compare runs/NAME --json

A run is what decant diff takes: a folder, one of its older reports (RUN@2), a report.json or git:REVISION:PATH.
A recipe that is chosen by its figures on the test split looks better there than it is: choose on validation.
Exit codes: 0 done, 2 the request was wrong.`;

const showComparison = async (runs: readonly string[], options: Options): Promise<number> => {
  const { format = 'text', json = false, ...request } = options;
  const result = await compare(runs, request);
  const { wantsColor } = await import('../view/choose.ts');
  const terminal = { columns: process.stdout.columns || 120, color: wantsColor(process.stdout) };
  process.stdout.write(await renderComparison(result, json ? 'json' : format, terminal));
  await addToStepSummary(() => renderComparison(result, 'md'));
  return exit.done;
};

/** `decant compare`. */
export const compareCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('compare')
    .argument('<runs...>', 'folders of runs, or a folder that holds several; or reports')
    .summary('set recipes side by side: which wins, and which differences are chance')
    .description(
      'Set finished runs side by side: quality, size and latency of every stage, with paired tests over the same texts ' +
        'and seeds, corrected for their number.',
    )
    .option('--by <metric>', 'what decides: a metric of the task, or p50 (default: the primary metric)')
    .addOption(new Option('--on <texts>', 'texts that decide').choices(['test', 'validation']).default('test'))
    .option('--stage <id>', 'the stage whose models are compared (default: the one that ships)')
    .option('--baseline <id>', 'the recipe that the others are compared with (default: the first)')
    .addOption(new Option('--pairs', 'compare each with each').conflicts('baseline'))
    .addOption(new Option('--format <name>', 'what to print').choices(formats).default('text'))
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (runs: readonly string[], options: Options) => end(await showComparison(runs, options)));
};
