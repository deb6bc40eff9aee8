import { type MissingOptions, missingLabel } from '../datasets/missing.ts';
import { scalarText, type Values } from '../datasets/rows.ts';
import { arrayIn, isScalar, kindOfValue } from '../datasets/values.ts';
import { dataErrors } from '../errors.ts';
import type { ReadTarget, TargetKind } from './target.ts';

/** What a row says of its classes, and where, for messages. */
interface Cell {
  readonly value: unknown;
  readonly column: string;
  readonly row: Values;
}

/** Each class once, whatever their order: a set is the same however it is written. */
const setOf = (names: readonly string[]): ReadTarget => ({ target: [...new Set(names)].sort() });

const nameIn = (item: unknown, { column, row }: Cell): string => {
  const name = isScalar(item) ? String(item).trim() : '';
  if (name !== '') return name;
  const found = item === '' ? 'an empty name' : kindOfValue(item);
  throw dataErrors.wrongType(row.at, column, `a list with ${found} in it`, 'a list of names of classes');
};

const EXAMPLE = '["a", "b"]';

const parsedList = (text: string, { column, row }: Cell): readonly unknown[] => {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list)) return list;
  } catch {
    // Said below, with what was expected.
  }
  throw dataErrors.noSet(row.at, column, text, EXAMPLE);
};

/** The names of a list; one that stands for a missing label says that the whole set is not known. */
const readList = (list: readonly unknown[], cell: Cell, missing: MissingOptions): ReadTarget => {
  const names = list.map((item) => nameIn(item, cell));
  for (const name of names) {
    const none = missingLabel(name, missing);
    if (none !== undefined) return none;
  }
  return setOf(names);
};

/** A list, a JSON array in a text, or names with a separator between them, of which there may be none at all. */
const readSet = (cell: Cell, missing: MissingOptions, separator: string | undefined): ReadTarget => {
  const list = arrayIn(cell.value);
  if (list !== undefined) return readList(list, cell, missing);
  const text = scalarText(cell.value, cell.column, cell.row).trim();
  const isEmptySet = text === '' && separator !== undefined && cell.value !== null;
  const none = isEmptySet ? undefined : missingLabel(text, missing);
  if (none !== undefined) return none;
  // What is written as a list is one: with a separator its brackets and quotes would be parts of names.
  const isList = separator === undefined || /^\[.*\]$/s.test(text);
  const listed = isList ? parsedList(text, cell) : text.split(separator).flatMap((name) => name.trim() || []);
  return readList(listed, cell, missing);
};

const flags: ReadonlyMap<string, boolean> = new Map([
  ...['1', '1.0', 'true'].map((text) => [text, true] as const),
  ...['0', '0.0', 'false'].map((text) => [text, false] as const),
]);

/** Whether a text has the class of a column; undefined where the cell does not say. */
const readFlag = ({ value, column, row }: Cell, missing: MissingOptions): boolean | { readonly missing: string } => {
  const text = scalarText(value, column, row).trim();
  const flag = flags.get(text.toLowerCase());
  if (flag !== undefined) return flag;
  const none = missingLabel(text, missing);
  if (none !== undefined) return none;
  throw dataErrors.wrongType(row.at, column, `'${text}'`, '0 or 1: whether the text has this class');
};

/** A column a class, which says of each text whether it has it. */
const readFlags = (cells: readonly Cell[], missing: MissingOptions): ReadTarget => {
  const names: string[] = [];
  for (const cell of cells) {
    const flag = readFlag(cell, missing);
    if (typeof flag === 'object') return flag;
    if (flag) names.push(cell.column);
  }
  return setOf(names);
};

/** Some of the classes a text: several, one, or none at all. */
export const classesOfText: TargetKind = {
  key: 'labels',
  noun: 'labels',
  about: 'text',
  named: true,
  fits: (target) => typeof target === 'object',
  table: {
    several: true,
    columns: ({ labels }) => labels,
    classes: ({ labels }) => (labels.length > 1 ? labels : undefined),
    read: (values, columns, row, missing, { labels, separator }) => {
      const cells = columns.map((column, i): Cell => ({ value: values[i], column, row }));
      const [first] = cells;
      if (first === undefined || labels.length > 1) return readFlags(cells, missing);
      return readSet(first, missing, separator);
    },
  },
};
