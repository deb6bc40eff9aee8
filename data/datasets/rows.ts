import type { Pixels } from '../dataset.ts';
import { dataErrors } from '../errors.ts';
import type { ReadRow, ReadTarget } from '../targets/target.ts';
import { wordIn, wordsOf } from '../targets/words-of-text.ts';
import type { SourceFile } from './bytes.ts';
import { type MissingOptions, missingLabel } from './missing.ts';
import { readTime, type Time } from './time-column.ts';
import { isScalar, kindOfValue, listIn } from './values.ts';

/** Which columns of a file are meant. A file of unlabelled texts has no target, only pairs have a second text. */
export interface Columns {
  readonly text: string;
  /** Whether texts may be lists of words. */
  readonly words?: boolean;
  readonly pair?: string;
  /** Those of what is to be learnt, and how it is read from them. */
  readonly target?: { readonly names: readonly string[]; readonly read: ReadRow };
  /** The column that says which split a row is in. */
  readonly split?: string;
  /** Columns of what stays in one split, and of when a text is from. */
  readonly group?: string;
  readonly time?: string;
}

/** Values of some columns in one row, as the format has them. */
export interface Values {
  /** File and line (or row), as messages name it. */
  readonly at: string;
  /** The same of one of its words, where the format has these in lines of their own. */
  readonly wordAt?: (word: number) => string;
  /** All names that the row has. */
  readonly names: readonly string[];
  /** In the order in which the columns were asked for; undefined where the row lacks one. */
  readonly values: readonly unknown[];
  /** Of a row that is an image: its text is what it is called. */
  readonly pixels?: Pixels;
}

/** A file format: streams rows; throws a dataError that names file and line. */
export interface RowReader {
  /** With `most`, at least so many rows where there are as many, without looking at all others first. */
  values(file: SourceFile, columns: readonly string[], most?: number): AsyncIterable<Values>;
  /** Column names without reading further than it needs, undefined where there is no row. */
  columns(file: SourceFile): Promise<readonly string[] | undefined>;
  /** Whether each row names its own columns, so that files need not have the same ones. */
  readonly isRagged?: true;
  /** Whether it names columns by itself: none of them is one that somebody made. */
  readonly isNaming?: true;
  /** The column that holds the texts, where the format gives columns no names. */
  readonly texts?: string;
  /** Whether the names look as if a first row of values had been taken for them; only where a format may lack names. */
  isNameless?(names: readonly string[], columns: readonly string[]): boolean;
  /** Class names of a column in their order, where the format declares them. */
  classes?(file: SourceFile, column: string): Promise<readonly string[] | undefined>;
  /** The size of a source that is no file. */
  bytes?(file: SourceFile): Promise<number>;
  /** What to know of a source that its rows do not say. */
  remarks?(file: SourceFile): Promise<readonly string[]>;
}

/** One text as it stands in a file, untrimmed. Empty where the file has nothing in its place. */
export interface Row {
  readonly at: string;
  readonly text: string;
  readonly pixels: Pixels | undefined;
  readonly pair: string | undefined;
  readonly target: ReadTarget | undefined;
  readonly split: string | undefined;
  readonly wordAt: (word: number) => string;
  readonly group: string | MissingValue | undefined;
  readonly time: Time | MissingValue | undefined;
}

/** How a row spells that something is not there. */
export interface MissingValue {
  readonly missing: string;
}

/** Nothing where a value should be: null, or the number that is none. */
const isNothing = (value: unknown): boolean => value === null || (typeof value === 'number' && Number.isNaN(value));

const textOf = (value: unknown, column: string, { at, names }: Values): string => {
  if (typeof value === 'string') return value;
  if (isNothing(value)) return '';
  if (value === undefined) throw dataErrors.missingColumn(at, column, names);
  throw dataErrors.wrongType(at, column, kindOfValue(value), 'a text');
};

/** A whole number that other whole numbers are read as, too: JSON's numbers are doubles here. */
const isRounded = (value: unknown): boolean => Number.isInteger(value) && !Number.isSafeInteger(value);

/** A value as a text, where it is none of several. */
export const scalarText = (value: unknown, column: string, row: Values): string => {
  if (isRounded(value)) throw dataErrors.roundedNumber(row.at, column, String(value));
  return isScalar(value) && !isNothing(value) ? String(value) : textOf(value, column, row);
};

const readGroup = (value: unknown, column: string, row: Values, missing: MissingOptions): string | MissingValue => {
  const name = scalarText(value, column, row).trim();
  return missingLabel(name, missing) ?? name;
};
/** A text, or its words with single spaces between them where it may be a list of them. */
const plainText = (row: Values & { readonly text: unknown }, { text, words }: Columns): string =>
  words === true && listIn(row.text) !== undefined ? wordsOf(row.text, row).join(' ') : textOf(row.text, text, row);

/** All rows of a file as texts with their targets. */
export async function* readRows(
  reader: RowReader,
  file: SourceFile,
  { columns, missing }: { readonly columns: Columns; readonly missing: MissingOptions },
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Row> {
  const { text, pair, target, split, group, time } = columns;
  const names = [text, pair, ...(target?.names ?? []), split, group, time].filter((name) => name !== undefined);
  let count = 0;
  for await (const row of reader.values(file, names, most)) {
    if (count++ >= most) break;
    const value = (name: string): unknown => row.values[names.indexOf(name)];
    const asked = { ...row, text: value(text) };
    const read = target?.read(target.names.map(value), target.names, asked, missing);
    yield {
      at: row.at,
      text: read !== undefined && 'text' in read ? read.text : plainText(asked, columns),
      pixels: row.pixels,
      wordAt: wordIn(row),
      pair: pair === undefined ? undefined : textOf(value(pair), pair, row),
      target: read,
      split: split === undefined ? undefined : scalarText(value(split), split, row),
      group: group === undefined ? undefined : readGroup(value(group), group, row, missing),
      time: time === undefined ? undefined : readTime(value(time), time, row, missing),
    };
  }
}
