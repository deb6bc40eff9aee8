import { dataErrors } from '../errors.ts';
import type { SourceFile } from './bytes.ts';
import { csvRecords, type Dialect, type TableText, tableText } from './csv-records.ts';
import { dialectAtStart, dialectOf, isSingleQuoted } from './dialect.ts';
import type { Values } from './rows.ts';
import { isNameless, type TableOptions } from './table-options.ts';

const trimmed = (fields: readonly string[]): readonly string[] => fields.map((field) => field.trim());

/** Names of the columns, by the first row or by what the user says. */
const namesOf = (fields: readonly string[], { header = true }: TableOptions, at: string): readonly string[] => {
  if (header === true) return trimmed(fields);
  if (header === false) return fields.map((_, i) => String(i + 1));
  if (header.length !== fields.length) throw dataErrors.otherWidth(at, fields.length, header.length);
  return header;
};

interface Table {
  readonly text: TableText;
  readonly dialect: Dialect;
  readonly options: TableOptions;
}

/** All rows with all of their fields, the names of the columns beside them. */
async function* tableRows({ text, dialect, options }: Table): AsyncGenerator<Values> {
  let names: readonly string[] | undefined;
  for await (const { line, fields } of csvRecords(text, dialect)) {
    const at = `${text.shown}:${line}`;
    const isHeader = names === undefined && (options.header ?? true) === true;
    names ??= namesOf(fields, options, at);
    if (fields.length !== names.length) throw dataErrors.unequalRow(at, fields.length, names.length);
    if (!isHeader) yield { at, names, values: fields };
  }
}

const columnIndices = (names: readonly string[], columns: readonly string[], at: string): readonly number[] => {
  const indices = new Map(names.map((name, i) => [name, i]));
  const repeated = new Set(names.filter((name, i) => indices.get(name) !== i));
  return columns.map((column) => {
    const index = indices.get(column);
    if (index === undefined) throw dataErrors.missingColumn(at, column, names);
    if (repeated.has(column)) throw dataErrors.repeatedColumn(at, column, names);
    return index;
  });
};

const missingColumn = (names: readonly string[], [name = '']: readonly string[], at: string) =>
  dataErrors.missingColumn(at, name, names);

/** Names of the columns; a first row of another length than the next is no header. */
const columnNames = async ({ text, dialect, options }: Table): Promise<readonly string[] | undefined> => {
  let names: readonly string[] | undefined;
  for await (const { fields, line } of csvRecords(text, dialect)) {
    const at = `${text.shown}:${line}`;
    if (names !== undefined && fields.length !== names.length) {
      throw dataErrors.unequalRow(at, fields.length, names.length);
    }
    if (names !== undefined) break;
    names = namesOf(fields, options, at);
  }
  return names;
};

/** Fewer than were looked at to tell how the table is read: what lies beyond may tell otherwise. */
const START_CHARACTERS = 64 * 1024;

export async function* csvValues(
  file: SourceFile,
  columns: readonly string[],
  options: TableOptions,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Values> {
  const text = await tableText(file);
  const dialect = await (Number.isFinite(most) ? dialectAtStart : dialectOf)(text, options);
  const table = { text, dialect, options };
  const names = await columnNames(table);
  if (names === undefined) return;
  const at = `${file.shown}:${text.line}`;
  if (isNameless(names, columns, options)) throw dataErrors.orNoHeader(missingColumn(names, columns, at));
  const indices = columnIndices(names, columns, at);
  let seen = 0;
  for await (const row of tableRows(table)) {
    seen += row.values.reduce<number>((sum, value) => sum + String(value).length + 3, 0);
    if (Number.isFinite(most) && seen > START_CHARACTERS) return;
    yield { ...row, values: indices.map((index) => row.values[index]) };
  }
}

export const csvColumns = async (file: SourceFile, options: TableOptions): Promise<readonly string[] | undefined> => {
  const text = await tableText(file);
  return columnNames({ text, dialect: await dialectAtStart(text, options), options });
};

/** A table as init looks at it: how it is read, and its first row, which may be names or not. */
export const openTable = async (file: SourceFile) => {
  const text = await tableText(file);
  const dialect = await dialectOf(text, isSingleQuoted(text) ? { quote: "'" } : {});
  const first = await columnNames({ text, dialect, options: {} });
  return { dialect, first };
};
