import type { Loaded } from '../../data/datasets/kind.ts';
import { NO_QUOTE } from '../../data/datasets/table-options.ts';
import { listed } from '../../ground/names.ts';
import { oneLine, shortened } from '../../reports/text.ts';
import { leftOutWords, readWords } from './defaults.ts';
import { folderWords, type Guess } from './folder.ts';
import type { Roles } from './roles.ts';

/** The data as the file will have it, what a run reads by it, and what to say of it. */
export interface Proven {
  readonly data: string;
  readonly loaded: Loaded;
  readonly said: readonly string[];
}

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

/** Columns that nothing is read from. */
const unread = ({ text, pair, label, sets }: Roles, { columns, split }: Guess): readonly string[] => {
  const read = [text, pair, label, split, ...(sets?.columns ?? [])];
  return columns.filter((name) => !read.includes(name));
};

/** What the columns of tables are taken for. */
const columnsWords = (roles: Roles, { split }: Guess): string => {
  const { text, pair } = roles;
  const texts =
    pair === undefined
      ? `texts from column ${columnWords(text)}`
      : `pairs from columns ${columnWords(text)} and ${columnWords(pair)}`;
  return `${texts}, ${classesWords(roles)}${split === undefined ? '' : `, splits from column ${columnWords(split)}`}`;
};

export const summary = (out: string, roles: Roles, guess: Guess, { loaded, said: remarks }: Proven): string => {
  const { uses, table, separator } = guess;
  const what = uses === 'folder' ? folderWords(guess, roles) : columnsWords(roles, guess);
  const said = [
    readWords(loaded),
    ...leftOutWords(loaded, uses === 'folder' ? [] : unread(roles, guess).map(short)),
    ...(table.header === false ? ['The first row is no header: columns are numbered.'] : []),
    ...(table.quote === NO_QUOTE ? ['Quotes are plain characters in this file.'] : []),
    ...(separator === undefined ? [] : [separatorWords(separator)]),
    ...remarks.map((remark) => oneLine(`${remark}.`)),
  ];
  return `${[`Wrote ${out}: ${what}.`, ...said].join('\n')}\nNext: decant validate ${out}, then decant run ${out}\n`;
};
