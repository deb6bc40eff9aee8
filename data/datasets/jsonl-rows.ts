import { dataErrors } from '../errors.ts';
import { type Columns, kindOfValue, type Row, type RowReader } from './rows.ts';
import { type SourceFile, textBlocks } from './text-blocks.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** One line as an object; throws a DataError where it is none. */
export const parseLine = (line: string, at: string): JsonObject => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw dataErrors.brokenJson(at, error instanceof Error ? error.message : String(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw dataErrors.brokenJson(at, `the line is ${kindOfValue(value)}`);
  }
  return value as JsonObject;
};

async function* objects(file: SourceFile): AsyncGenerator<{ readonly line: number; readonly object: JsonObject }> {
  for await (const block of textBlocks(file)) {
    let line = block.line;
    for (const text of block.text.split('\n')) {
      if (text.trim() !== '') yield { line, object: parseLine(text, `${file.shown}:${line}`) };
      line++;
    }
  }
}

const textField = (object: JsonObject, name: string, at: string): string => {
  const value = object[name];
  if (typeof value === 'string') return value;
  if (value === undefined) throw dataErrors.missingColumn(at, name, Object.keys(object));
  if (value === null) return '';
  throw dataErrors.wrongType(at, name, kindOfValue(value), 'a text');
};

const labelField = (object: JsonObject, name: string, at: string): string => {
  const value = object[name];
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : textField(object, name, at);
};

async function* jsonlRows(file: SourceFile, { text, pair, label }: Columns): AsyncGenerator<Row> {
  for await (const { line, object } of objects(file)) {
    const at = `${file.shown}:${line}`;
    yield {
      at,
      text: textField(object, text, at),
      pair: pair === undefined ? undefined : textField(object, pair, at),
      label: label === undefined ? undefined : labelField(object, label, at),
    };
  }
}

/** Reads JSON Lines: one object a line; labels may be texts, numbers or booleans. */
export const jsonlReader: RowReader = {
  rows: jsonlRows,
  columns: async (file) => {
    for await (const { object } of objects(file)) return Object.keys(object);
    return undefined;
  },
};
