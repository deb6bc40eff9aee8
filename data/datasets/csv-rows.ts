import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { dataErrors } from '../errors.ts';
import type { Columns, Row, RowReader } from './rows.ts';
import { type SourceFile, textBlocks } from './text-blocks.ts';

interface Fields {
  readonly line: number;
  readonly fields: readonly string[];
}

const delimiters = [',', '\t', ';', '|'];

/** The delimiter that the header uses most, quoted parts left out. */
export const guessDelimiter = (header: string): string => {
  const bare = header.replace(/"[^"]*"/g, '');
  const counts = delimiters.map((delimiter) => bare.split(delimiter).length);
  return delimiters[counts.indexOf(Math.max(...counts))] ?? ',';
};

const newlines = (fields: readonly string[]): number =>
  fields.reduce((sum, field) => sum + (field.match(/\n/g)?.length ?? 0), 0);

/** The parser's complaint in terms of the row it is about, which starts at `start`. */
const csvError = (error: CsvError, shown: string, start: number): Error => {
  const line = typeof error.lines === 'number' ? error.lines : start;
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return dataErrors.openQuote(`${shown}:${start}`);
  if (error.code === 'CSV_INVALID_CLOSING_QUOTE') {
    // A closing quote lines further down is most often the opening quote of another row.
    return line > start
      ? dataErrors.openQuote(`${shown}:${start}`)
      : dataErrors.strayQuote(`${shown}:${line}`, 'there is text behind a closing quote');
  }
  if (error.code === 'INVALID_OPENING_QUOTE') {
    return dataErrors.strayQuote(`${shown}:${line}`, 'there is a quote inside a field that is not quoted');
  }
  return dataErrors.brokenCsv(`${shown}:${line}`, error.message);
};

async function* texts(first: string, blocks: AsyncIterator<{ readonly text: string }>): AsyncGenerator<string> {
  yield first;
  for (let next = await blocks.next(); !next.done; next = await blocks.next()) yield next.value.text;
}

/** All rows with the line each starts at, header first; empty lines are left out. */
async function* fieldRows(file: SourceFile, delimiter: string | undefined): AsyncGenerator<Fields> {
  const blocks = textBlocks(file);
  const first = await blocks.next();
  if (first.done) return;
  const header = first.value.text.split('\n', 1)[0] ?? '';
  const lines = new WeakMap<readonly string[], number>();
  let start = 1;
  const parser = parse({
    delimiter: delimiter ?? guessDelimiter(header),
    relax_column_count: true,
    on_record: (fields, { lines: end }) => {
      lines.set(fields, end - newlines(fields));
      start = end + 1;
      return fields;
    },
  });
  // The callback is for pipeline's sake: failures reach the loop below through the parser.
  pipeline(Readable.from(texts(first.value.text, blocks)), parser, () => {});
  try {
    const records: AsyncIterable<readonly string[]> = parser;
    for await (const fields of records) {
      if (fields.length > 1 || fields[0] !== '') yield { line: lines.get(fields) ?? start, fields };
    }
  } catch (error) {
    throw error instanceof CsvError ? csvError(error, file.shown, start) : error;
  }
}

const columnIndex = (header: readonly string[], name: string, at: string): number => {
  const index = header.indexOf(name);
  if (index < 0) throw dataErrors.missingColumn(at, name, header);
  if (header.indexOf(name, index + 1) >= 0) throw dataErrors.repeatedColumn(at, name);
  return index;
};

const trimmed = (fields: readonly string[]): readonly string[] => fields.map((field) => field.trim());

/** Takes the fields of the columns out of a row. */
const pickerOf = (
  header: readonly string[],
  columns: Columns,
  at: string,
): ((fields: readonly string[]) => Omit<Row, 'at'>) => {
  const indexOf = (name: string | undefined) => (name === undefined ? undefined : columnIndex(header, name, at));
  const text = columnIndex(header, columns.text, at);
  const [pair, label] = [indexOf(columns.pair), indexOf(columns.label)];
  const field = (fields: readonly string[], index: number | undefined) =>
    index === undefined ? undefined : fields[index];
  return (fields) => ({ text: fields[text] ?? '', pair: field(fields, pair), label: field(fields, label) });
};

async function* csvRows(file: SourceFile, columns: Columns, delimiter: string | undefined): AsyncGenerator<Row> {
  let width = 0;
  let pick: ReturnType<typeof pickerOf> | undefined;
  for await (const { line, fields } of fieldRows(file, delimiter)) {
    const at = `${file.shown}:${line}`;
    if (pick === undefined) {
      pick = pickerOf(trimmed(fields), columns, at);
      width = fields.length;
    } else if (fields.length !== width) {
      throw dataErrors.unequalRow(at, fields.length, width);
    } else {
      yield { ...pick(fields), at };
    }
  }
}

/** Reads comma-separated values (RFC 4180) with a header line; without a delimiter, the header's commonest is taken. */
export const csvReader = (delimiter: string | undefined): RowReader => ({
  rows: (file, columns) => csvRows(file, columns, delimiter),
  columns: async (file) => {
    for await (const { fields } of fieldRows(file, delimiter)) return trimmed(fields);
    return undefined;
  },
});
