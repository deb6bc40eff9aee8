import type { Values } from '../datasets/rows.ts';
import { isScalar, kindOfValue, listIn } from '../datasets/values.ts';
import { dataErrors } from '../errors.ts';

/** Where a word of a row stands, for messages. */
export const wordIn =
  ({ at, wordAt }: Values) =>
  (word: number): string =>
    wordAt?.(word) ?? `${at}, word ${word + 1}`;

const wordOf = (item: unknown, at: string): string => {
  if (!isScalar(item)) throw dataErrors.noWord(at, `there is ${kindOfValue(item)} in the place of a word`);
  const word = String(item);
  if (word === '') throw dataErrors.noWord(at, 'the word is empty');
  if (/\s/.test(word)) throw dataErrors.noWord(at, `${JSON.stringify(word)} has a space in it`);
  return word;
};

/** The words of a text: those of a list, or what spaces part. */
export const wordsOf = (value: unknown, row: Values): readonly string[] => {
  const list = listIn(value);
  const at = wordIn(row);
  if (list !== undefined) return list.map((item, word) => wordOf(item, at(word)));
  return typeof value === 'string' ? value.split(/\s+/).filter((word) => word !== '') : [];
};

const numeric = /^\d+$/;

const named = (id: number, column: string, names: readonly string[] | undefined, row: Values): string => {
  if (names === undefined) throw dataErrors.namelessIds(row.at, column);
  const name = names[id];
  if (name === undefined) throw dataErrors.unknownId(row.at, column, id, names.length);
  return name;
};

/** The tags in a cell, a list or with spaces between them; numbers by their names. */
export const tagsIn = (
  value: unknown,
  column: string,
  row: Values,
  names: readonly string[] | undefined,
): readonly string[] => {
  const list =
    listIn(value) ?? (typeof value === 'string' ? value.split(/\s+/).filter((tag) => tag !== '') : undefined);
  if (list === undefined) throw dataErrors.wrongType(row.at, column, kindOfValue(value), 'a list of tags, one a word');
  const at = wordIn(row);
  return list.map((item, word) => {
    if (!isScalar(item)) throw dataErrors.wrongType(at(word), column, kindOfValue(item), 'a tag');
    const tag = String(item).trim();
    if (names !== undefined || typeof item === 'number' || typeof item === 'bigint') {
      if (numeric.test(tag)) return named(Number(tag), column, names, row);
    }
    if (tag === '') throw dataErrors.wrongType(at(word), column, 'an empty tag', 'a tag');
    return tag;
  });
};

/** A row whose words have a tag each. */
export const expectEqual = (words: readonly string[], tags: readonly string[], row: Values): void => {
  if (words.length !== tags.length) throw dataErrors.unequalTags(row.at, words.length, tags.length);
};

/** Nothing stands where tags are expected: null, an empty list, or a text of none. */
export const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || listIn(value)?.length === 0;
