import { clipped } from '../../ground/names.ts';
import type { SourceFile } from './bytes.ts';
import type { RowReader } from './rows.ts';

export const labelNames = /^(label|class|category|target|intent|sentiment|topic|tag|y)s?$/i;
const textNames = /^(text|sentence|content|message|body|review|comment|description|utterance|question|title)s?$/i;

export const isTextName = (name: string): boolean => textNames.test(name);

/** Names under which pairs of texts are published. */
export const pairNames = [
  [/^premise$/i, /^hypothesis$/i],
  [/^(sentence|text|question)_?(?:1|a)$/i, /^(sentence|text|question)_?(?:2|b)$/i],
  [/^(question|query)$/i, /^(passage|context|document|answer|sentence)$/i],
] as const;

/** Whether the first row of a table has the names of its columns. */
export type FirstRow = { readonly is: 'names' | 'values' } | { readonly is: 'unclear'; readonly reason: string };

const isTelling = (name: string): boolean =>
  [labelNames, textNames, ...pairNames.flat()].some((names) => names.test(name));

const isNumber = (text: string): boolean => /^[+-]?\d+(?:\.\d+)?$/.test(text);

/** A cell of the first row beside those below it: one more of a few values, or one more number. */
const isValue = (first: string, below: readonly string[]): boolean => {
  const distinct = new Set(below);
  if (distinct.has(first)) return distinct.size <= below.length / 2;
  return isNumber(first) && below.length > 0 && below.every(isNumber);
};

const MOST_WORDS = 3;

/** Why a row of names would be an odd one. */
const oddity = (names: readonly string[]): string | undefined => {
  const long = names.find((name) => name.split(/\s+/).length > MOST_WORDS);
  if (names.includes('')) return 'one of its fields is empty';
  if (new Set(names).size < names.length) return 'two of its fields are equal';
  return long === undefined ? undefined : `one of its fields is '${clipped(long)}'`;
};

const ROWS_BELOW = 1000;

/** Tells names from values by the cells below them. `reader` reads the first row as values. */
export const firstRowOf = async (reader: RowReader, file: SourceFile, first: readonly string[]): Promise<FirstRow> => {
  if (first.some(isTelling)) return { is: 'names' };
  const below: (readonly unknown[])[] = [];
  const columns = first.map((_, i) => String(i + 1));
  for await (const { values } of reader.values(file, columns)) if (below.push(values) > ROWS_BELOW) break;
  const rows = below.slice(1);
  const isData = first.some((cell, i) =>
    isValue(
      cell,
      rows.map((row) => String(row[i]).trim()),
    ),
  );
  if (isData) return { is: 'values' };
  const reason = oddity(first);
  return reason === undefined ? { is: 'names' } : { is: 'unclear', reason };
};
