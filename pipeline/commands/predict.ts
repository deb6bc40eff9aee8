import { type Command, Option } from 'commander';
import { jsonForPeople, manyLines } from '../../reports/text.ts';
import { type Answer, type Given, type LoadOptions, predict, predictFile } from '../api/index.ts';
import { requestError } from '../diagnostic.ts';
import { allow, type LimitOptions } from '../guard/limits.ts';
import { answersText } from './answer-lines.ts';
import { type Failed, isFailed } from './asked.ts';
import { addLimitOptions, collect, dtypeOption, exit, followedOnLine, untilSignal, wholeNumber } from './common.ts';
import { askedFrom, type PairOptions } from './lines.ts';

interface Options extends LimitOptions, PairOptions, LoadOptions, TableOptions {
  readonly json?: boolean;
  readonly top: number;
}

/** Seconds that one pass of texts may take: a large model on a slow machine needs some of them. */
const PATIENCE = 60;

const examples = `
Examples:
  $ decant predict runs/NAME/deploy "a large wild cat"
  $ decant predict runs/NAME/deploy --dtype fp32 "a large wild cat"      # the float model of the folder
  $ decant predict runs/NAME/models/student "one text" "another text" --top 3
  $ decant predict runs/NAME/models/tagger "The cat sat on the mat ."      # one word a line, a tab, its tag
  $ decant predict runs/NAME/models/digits seven.png another.jpg      # images of the size that the model reads
  $ decant predict runs/NAME/models/filler "A [MASK] is a wild cat." --top 5      # the most probable tokens of each mask
  $ decant predict runs/NAME/deploy --data reviews.csv --out answers.csv      # every row with its answer, in order
  $ cat texts.txt | decant predict runs/NAME/deploy --json
  $ decant predict runs/NAME/deploy "A man sleeps." --pair "Somebody is awake."
  $ cat pairs.tsv | decant predict runs/NAME/deploy --pairs      # two texts a line with a tab between them`;

interface Answered {
  /** Lines that were no text stand where they stood. */
  readonly json: readonly (Answer | Failed)[];
  readonly text: string;
  readonly failed: readonly Failed[];
  readonly notes: readonly string[];
}

const answered = async (path: string, lines: readonly string[], options: Options): Promise<Answered> => {
  const asked = await askedFrom(lines, options);
  const given = asked.filter((one): one is Given => !isFailed(one));
  const failed = asked.filter(isFailed);
  if (given.length === 0) throw requestError(failed.map(({ error }) => error).join('\n'));
  const { answers, notes } = await predict(path, given, options);
  const left = [...answers];
  const json = asked.flatMap((one): readonly (Answer | Failed)[] => (isFailed(one) ? [one] : left.splice(0, 1)));
  return { json, text: answersText(answers, options.top), failed, notes };
};

/** What a table is asked with in place of texts. */
interface TableOptions {
  readonly data?: string;
  readonly out?: string;
  readonly text?: string;
  readonly pairColumn?: string;
  readonly header?: boolean;
  readonly overwrite?: boolean;
}

const predictTable = async (path: string, texts: readonly string[], options: Options, signal: AbortSignal) => {
  const { data, out, pair, pairs, pairColumn, ...asked } = options;
  if (data === undefined || out === undefined)
    throw requestError('--data reads a table; name the table to write with --out');
  if (texts.length > 0 || pair.length > 0 || pairs === true) {
    throw requestError(
      '--data reads texts from a table; leave texts, --pair and --pairs out (--pair-column names a column)',
    );
  }
  const columns = { data, out, ...(pairColumn === undefined ? {} : { pair: pairColumn }) };
  const job = predictFile(path, { ...asked, ...columns, signal });
  const { rows, unanswered, first } = await followedOnLine(job, (progress) => [data, progress]);
  const summary = { file: out, rows, unanswered };
  process.stdout.write(options.json === true ? jsonForPeople(summary) : `${out}: ${rows} rows\n`);
  if (first !== undefined) process.stderr.write(`${first} has no text (${unanswered} rows in all); it has no answer\n`);
  return unanswered === 0 ? exit.done : exit.failed;
};

/** `decant predict`. */
export const predictCommand = (program: Command, end: (code: number) => void): void => {
  const command = program
    .command('predict')
    .argument('<model>', 'model folder: a stage of a run, or an exported one; or an ONNX file in it')
    .argument(
      '[text...]',
      'texts, or image files for a model of images; without any, one a line is read from standard input',
    )
    .summary('classify or rate texts, tag or fill in their words, make vectors of them, or classify images')
    .description(
      'Classify or rate texts, tag their words, fill in masked ones, make vectors of them, or classify images, with the model of a stage or of an exported folder.',
    )
    .addOption(
      new Option('--pair <text>', 'second text of a pair, once for each text').argParser(collect).default([], 'none'),
    )
    .option('--data <file>', 'answer the texts of a table in place of texts: CSV, TSV, JSON Lines or Parquet')
    .option('--out <file>', 'with --data: the table to write, its rows with their answers (.csv, .tsv or .jsonl)')
    .option('--text <column>', 'with --data: column of the texts (default: recognised as by init)')
    .option('--pair-column <column>', 'with --data: column of the second texts')
    .option('--header', 'with --data: the first row has the names of the columns (default: the rows decide)')
    .option('--no-header', 'with --data: the first row is a text like the others')
    .option('--overwrite', 'with --data: replace the table that is written if it exists')
    .addOption(dtypeOption())
    .option('--pairs', 'read pairs from standard input: two texts a line, a tab between them')
    .option(
      '--top <n>',
      'classes shown for each text that is classified, tokens for each mask',
      wholeNumber(1, 1000),
      1,
    );
  addLimitOptions(command, PATIENCE)
    .option(
      '--json',
      'print one JSON document: all classes, numbers, words with their tags, tokens of masks, or vectors',
    )
    .addHelpText('after', examples)
    .action(async (path: string, texts: readonly string[], options: Options) => {
      allow(options);
      if (options.data !== undefined)
        return end(await untilSignal((signal) => predictTable(path, texts, options, signal)));
      const { json, text, failed, notes } = await answered(path, texts, options);
      process.stdout.write(options.json === true ? jsonForPeople(json) : `${manyLines(text)}\n`);
      for (const line of [...notes, ...failed.map(({ error }) => error)]) process.stderr.write(`${line}\n`);
      end(failed.length === 0 ? exit.done : exit.failed);
    });
};
