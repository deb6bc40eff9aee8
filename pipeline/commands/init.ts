import { type Command, Option } from 'commander';
import { textTasks } from '../../ground/tasks.ts';
import { type InitOptions, init } from '../api/index.ts';
import { formats } from '../first/options.ts';
import { DEFAULT_FILE, exit } from './common.ts';

const examples = `
Examples:
  $ decant init reviews.csv
  $ decant init january.csv february.csv
  $ decant init reviews/                          # a folder a class, with .txt files
  $ decant init reviews.csv --text body --label stars --out reviews.yaml
  $ decant init nli.parquet --text premise --pair hypothesis
  $ decant init entities.conll
  $ decant init sentences.jsonl --no-label
  $ decant init sentences.jsonl --task fill-mask`;

/** Files may be named with and without --data. */
type Options = Omit<InitOptions, 'data'> & Partial<Pick<InitOptions, 'data'>>;

/** `decant init`. */
export const initCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('init')
    .summary('write a commented pipeline file for your own data')
    .description(
      'Write a commented pipeline file for one or more files of texts, with or without classes. Columns are guessed unless named.',
    )
    .argument('[files...]', `${formats}; several with equal columns are read together; or folders of .txt files`)
    .option('--data <files...>', 'the same')
    .option('--text <column>', 'column of the texts')
    .option('--pair <column>', 'column of the second texts, where texts come in pairs')
    .option('--label <column>', 'column of the classes')
    .option('--no-label', 'the texts have no classes: a student learns the vectors of its teacher')
    .addOption(
      new Option(
        '--task <name>',
        'what texts without classes are for: vectors like those of a teacher, or guessing hidden words',
      ).choices(textTasks),
    )
    .option('--header', 'the first row has the names of the columns (default: the rows decide)')
    .option('--no-header', 'the first row is a text like the others: columns are numbered')
    .option('--out <file>', 'file to write', DEFAULT_FILE)
    .option('--overwrite', 'replace the file if it exists')
    .addHelpText('after', examples)
    .action(async (files: readonly string[], { data = [], ...options }: Options) => {
      process.stdout.write((await init({ ...options, data: [...files, ...data] })).summary);
      end(exit.done);
    });
};
