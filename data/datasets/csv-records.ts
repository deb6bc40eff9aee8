import { finished } from 'node:stream/promises';
import { CsvError, type Parser, parse } from 'csv-parse';
import { dataErrors } from '../errors.ts';
import type { SourceFile } from './bytes.ts';
import { LONGEST_ROW, textBlocks } from './text-blocks.ts';

/** One way to read a table of text. Without a quote, no character means anything but the delimiter and line ends. */
export interface Dialect {
  readonly delimiter: string;
  readonly quote: string | undefined;
  /** What stands before a quote that does not end its field; the quote itself where absent. */
  readonly escape?: string;
}

/** A row with its first line and how many line ends its fields hold. */
export interface CsvRecord {
  readonly line: number;
  readonly breaks: number;
  readonly fields: readonly string[];
}

/** The text of a table without the line by which spreadsheets announce the delimiter. */
export interface TableText {
  readonly shown: string;
  /** Number of the first line. */
  readonly line: number;
  readonly announced: string | undefined;
  readonly first: string;
  /** Lines of a text that was cut somewhere: a quote that opens near its end may close behind it. */
  readonly cut?: number;
  blocks(): AsyncIterable<string>;
}

/** An object with a key, or a list of such: no row of a table begins so. */
const JSON_START = /^\s*(?:\[\s*)?\{\s*"(?:[^"\\]|\\.)*"\s*:/;

/** Whether a text is JSON, whatever the file is called. */
export const isJson = (start: string): boolean => JSON_START.test(start);

const ANNOUNCEMENT = /^"?sep=(.)"?(?:\n|$)/i;

/** Looks at the start of a table; its blocks begin behind the announcement. */
export const tableText = async (file: SourceFile): Promise<TableText> => {
  let start = '';
  for await (const block of textBlocks(file)) {
    start = block;
    break;
  }
  if (isJson(start))
    throw dataErrors.foreignFile(
      file.shown,
      'JSON, no table',
      "write 'uses: jsonl', which reads JSON Lines and lists of objects",
    );
  const found = ANNOUNCEMENT.exec(start);
  const skipped = found?.[0].length ?? 0;
  return {
    shown: file.shown,
    line: found === null ? 1 : 2,
    announced: found?.[1],
    first: start.slice(skipped),
    blocks: () => behind(textBlocks(file), skipped),
  };
};

async function* behind(blocks: AsyncIterable<string>, skipped: number): AsyncGenerator<string> {
  let left = skipped;
  for await (const block of blocks) {
    yield block.slice(left);
    left = 0;
  }
}

const breaksIn = (fields: readonly string[]): number =>
  fields.reduce((sum, field) => sum + (field.includes('\n') ? field.split('\n').length - 1 : 0), 0);

interface Failure {
  readonly shown: string;
  /** First line of the row. */
  readonly start: number;
  /** Lines before the parser's first. */
  readonly offset: number;
  readonly dialect: Dialect;
}

/** The parser's complaint in terms of the row that it is about. */
const rowError = (error: CsvError, { shown, start, offset, dialect }: Failure): Error => {
  const line = typeof error.lines === 'number' ? error.lines + offset : start;
  const { quote = '' } = dialect;
  const inside = `${dialect.escape ?? quote}${quote}`;
  const open = () => dataErrors.openQuote(`${shown}:${start}`, inside);
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return open();
    case 'CSV_MAX_RECORD_SIZE':
      return dataErrors.longRow(`${shown}:${start}`, LONGEST_ROW);
    case 'CSV_INVALID_CLOSING_QUOTE':
      // A closing quote lines further down is most often the opening quote of another row.
      return line > start ? open() : dataErrors.strayQuote(`${shown}:${line}`, 'behind', inside);
    case 'INVALID_OPENING_QUOTE': {
      const spaced = typeof error.field === 'string' && error.field.trim() === '';
      if (spaced) return dataErrors.spacedQuote(`${shown}:${line}`, dialect.delimiter, quote);
      return dataErrors.strayQuote(`${shown}:${line}`, 'inside', inside);
    }
    default:
      return dataErrors.brokenCsv(`${shown}:${line}`, error.message);
  }
};

/** Fields of more lines than a quarter of what was looked at are none. */
const isCutQuote = (error: unknown, { cut = 0, line }: TableText, start: number): boolean =>
  error instanceof CsvError && error.code === 'CSV_QUOTE_NOT_CLOSED' && start - line > 0.75 * cut && cut > 0;

/** What a parser makes of block after block: waiting for each row by itself takes longer than parsing it. */
async function* parsedBlocks({ blocks }: TableText, parser: Parser, made: () => readonly CsvRecord[]) {
  // Whoever writes hears of failures, too.
  parser.on('error', () => undefined).resume();
  for await (const block of blocks()) {
    await new Promise<void>((resolve, reject) => {
      parser.write(block, (error) => (error ? reject(error) : resolve()));
    });
    yield made();
  }
  await finished(parser.end());
  yield made();
}

/** All rows, names first where there are any; empty lines are left out. */
export async function* csvRecords(text: TableText, dialect: Dialect): AsyncGenerator<CsvRecord> {
  const { shown } = text;
  const offset = text.line - 1;
  let start = text.line;
  let records: CsvRecord[] = [];
  const parser = parse({
    delimiter: dialect.delimiter,
    quote: dialect.quote ?? false,
    ...(dialect.quote === undefined ? {} : { escape: dialect.escape ?? dialect.quote }),
    record_delimiter: '\n',
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_ROW,
    on_record: (fields: readonly string[], { lines }) => {
      const breaks = breaksIn(fields);
      start = lines + offset + 1;
      if (fields.length > 1 || fields[0] !== '') records.push({ line: start - 1 - breaks, breaks, fields });
      return null;
    },
  });
  const made = (): readonly CsvRecord[] => {
    const all = records;
    records = [];
    return all;
  };
  try {
    for await (const block of parsedBlocks(text, parser, made)) yield* block;
  } catch (error) {
    if (isCutQuote(error, text, start)) return;
    throw error instanceof CsvError ? rowError(error, { shown, start, offset, dialect }) : error;
  }
}
