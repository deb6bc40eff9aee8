import { isEntityTag } from '../targets/iob.ts';
import { areSpans } from '../targets/spans.ts';
import { LAST_COLUMN } from './conll-reader.ts';
import { labelNames } from './header.ts';
import type { RawColumn } from './sniff-sets.ts';
import { isScalar, listIn } from './values.ts';

/** Where words and what is known of each seem to stand. */
export interface WordsGuess {
  readonly text: string;
  readonly label: string;
  /** Whether what is known marks entities: tags of a scheme, or spans of characters. */
  readonly marks: 'entities' | 'spans' | 'classes';
  /** Whether tags are numbers, whose names no file tells. */
  readonly areNumbers: boolean;
}

/** A column with a list in every row, some of them with something in it. */
interface Lists {
  readonly name: string;
  readonly rows: readonly (readonly unknown[])[];
}

const listsIn = (column: RawColumn): Lists | undefined => {
  const rows = column.values().map(listIn);
  const lists = rows.flatMap((row) => (row === undefined ? [] : [row]));
  return lists.length === rows.length && lists.some(({ length }) => length > 0)
    ? { name: column.name, rows: lists }
    : undefined;
};

const sameLengths = (a: Lists, b: Lists): boolean => a.rows.every(({ length }, i) => length === b.rows[i]?.length);

const textsOf = ({ rows }: Lists): readonly string[] =>
  rows.flatMap((row) => row.map((item) => (isScalar(item) ? String(item).trim() : '')));

const areNumbers = ({ rows }: Lists): boolean =>
  rows.every((row) => row.every((item) => typeof item === 'number' || typeof item === 'bigint'));

const isTagName = (name: string): boolean => labelNames.test(name.replace(/^(?:ner|pos|bio|iob|chunk|upos)[_-]?/i, ''));

/** Of classes of words there are fewer than words. */
const repeats = (lists: Lists): boolean => {
  const texts = textsOf(lists);
  return texts.length >= 2 * new Set(texts).size;
};

const taggedBy = (words: Lists, tags: Lists): WordsGuess | undefined => {
  if (!sameLengths(words, tags) || areNumbers(words)) return undefined;
  const names = textsOf(tags);
  const entities = names.every((name) => isEntityTag(name)) && names.some((name) => name !== 'O');
  if (!entities && !(isTagName(tags.name) && repeats(tags))) return undefined;
  return { text: words.name, label: tags.name, marks: entities ? 'entities' : 'classes', areNumbers: areNumbers(tags) };
};

/** Lists of words, and of tags that are as long in every row: entities first. */
const tagged = (lists: readonly Lists[]): readonly WordsGuess[] => {
  const guesses = lists.flatMap((words) =>
    lists.flatMap((tags) => (words === tags || isTagName(words.name) ? [] : (taggedBy(words, tags) ?? []))),
  );
  const order = ({ marks, label }: WordsGuess): number =>
    Number(marks !== 'entities') + Number(!/ner/i.test(label)) / 2;
  return guesses.toSorted((a, b) => order(a) - order(b));
};

/** A column of spans beside one of texts. */
const spanned = (columns: readonly RawColumn[], text: string | undefined): readonly WordsGuess[] => {
  if (text === undefined) return [];
  return columns.flatMap((column) => {
    const lists = listsIn(column);
    const isSpans = lists?.rows.every((row) => row.length === 0 || areSpans(row));
    return isSpans ? [{ text, label: column.name, marks: 'spans', areNumbers: false } as const] : [];
  });
};

/** Where words have something known of each, the likeliest first. `text` is the column that seems to hold plain texts. */
export const wordColumns = (columns: readonly RawColumn[], text: string | undefined): readonly WordsGuess[] => {
  const lists = columns.flatMap((column) => listsIn(column) ?? []);
  return [...tagged(lists), ...spanned(columns, text)];
};

/** The same of a file with a word a line: the first field is the word, the last its tag. */
export const lineColumns = (columns: readonly RawColumn[]): readonly WordsGuess[] => {
  const last = columns.find(({ name }) => name === LAST_COLUMN);
  const lists = last === undefined ? undefined : listsIn(last);
  if (lists === undefined || columns.length < 3) return [];
  const entities = textsOf(lists).every((name) => isEntityTag(name));
  return [{ text: '1', label: LAST_COLUMN, marks: entities ? 'entities' : 'classes', areNumbers: false }];
};

/** Whether a file begins as those with one word a line do: as many fields on each, the last a tag, and empty lines between. */
export const looksLikeLines = (start: string): boolean => {
  const lines = start
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .slice(0, -1);
  const words = lines.filter((line) => line.trim() !== '' && !/^(?:-DOCSTART-|#)/.test(line));
  const fields = words.map((line) => line.trim().split(line.includes('\t') ? '\t' : / +/));
  const width = fields[0]?.length ?? 0;
  return (
    width > 1 &&
    words.length < lines.length &&
    fields.every((all) => all.length === width && isEntityTag(all.at(-1) ?? ''))
  );
};
