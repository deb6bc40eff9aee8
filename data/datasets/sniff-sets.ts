import { labelNames } from './header.ts';
import { looksMissing } from './missing.ts';
import { areDecimals } from './sniff-numbers.ts';
import { isScalar, listIn } from './values.ts';

/** Where several classes a text seem to stand: in one column, or in one with 0 and 1 for each class. */
export interface SetsGuess {
  readonly columns: readonly string[];
  /** What stands between them, where they are neither lists nor columns. */
  readonly separator?: string;
  readonly classes: readonly string[];
}

/** A column with the values of the first rows. */
export interface RawColumn {
  readonly name: string;
  /** Made anew each time: of a wide table all columns together would be large. */
  values(): readonly unknown[];
}

const MOST_CLASSES = 200;

/** In the order in which they are tried: a comma stands in names, too. */
const separators = [';', '|', ','] as const;

const textsIn = (column: RawColumn): readonly string[] =>
  column.values().flatMap((value) => {
    const text = isScalar(value) ? String(value).trim() : '';
    return looksMissing(text) ? [] : [text];
  });

/** Names that come again, so that they are classes; undefined where they do not. */
const classesIn = (lists: readonly (readonly string[])[]): readonly string[] | undefined => {
  const all = lists.flat();
  const names = new Set(all);
  for (const name of names) if (looksMissing(name)) names.delete(name);
  const often = all.length >= 2 * names.size;
  return names.size >= 2 && names.size <= MOST_CLASSES && often ? [...names].sort() : undefined;
};

/** A list in every row that has a value, whether the format has lists or they are JSON in a text. */
const listed = (column: RawColumn): SetsGuess | undefined => {
  const given = column.values().filter((value) => value !== null && value !== undefined && value !== '');
  const lists = given.map(listIn);
  const named = lists.map((list) => (list?.every(isScalar) ? list.map((one) => String(one).trim()) : undefined));
  if (named.length === 0 || named.includes(undefined)) return undefined;
  const classes = classesIn(named.flatMap((list) => (list === undefined ? [] : [list])));
  return classes === undefined ? undefined : { columns: [column.name], classes };
};

const MOST_WORDS = 5;

/** Fewer names than ways in which they stand together: what is between them parts them. */
const separated = (column: RawColumn): SetsGuess | undefined => {
  const texts = textsIn(column);
  if (areDecimals(new Set(texts))) return undefined;
  for (const separator of separators) {
    const lists = texts.map((text) => text.split(separator).flatMap((name) => name.trim() || []));
    const classes = lists.some(({ length }) => length > 1) ? classesIn(lists) : undefined;
    const short = classes?.every((name) => name.split(/\s+/).length <= MOST_WORDS) === true;
    if (classes !== undefined && short && classes.length < new Set(texts).size) {
      return { columns: [column.name], separator, classes };
    }
  }
  return undefined;
};

const isFlags = (column: RawColumn): boolean => {
  const texts = textsIn(column);
  return texts.length > 0 && texts.every((text) => /^(?:[01](?:\.0)?|true|false)$/i.test(text));
};

/** Columns that each say of one class whether a text has it: two or more. */
export const flagColumns = (columns: readonly RawColumn[]): readonly SetsGuess[] => {
  const names = columns.filter(isFlags).map(({ name }) => name);
  return names.length < 2 || names.length > MOST_CLASSES ? [] : [{ columns: names, classes: names }];
};

/** Columns that hold several classes a text: lists, and names with something between them. */
export const setColumns = (columns: readonly RawColumn[]): readonly SetsGuess[] =>
  columns.flatMap((column) => listed(column) ?? separated(column) ?? []);

const isTelling = (name: string): boolean => labelNames.test(name);

/** The sets that are meant where nobody says so: those in a column with a telling name, else any, if no label tells more. */
export const likeliestSets = (guesses: readonly SetsGuess[], label: string | undefined): SetsGuess | undefined => {
  const telling = guesses.find(({ columns }) => columns.length === 1 && columns.some(isTelling));
  if (telling !== undefined) return telling;
  const own = guesses.some(({ columns }) => label !== undefined && columns.includes(label));
  return label === undefined || own || !isTelling(label) ? guesses[0] : undefined;
};
