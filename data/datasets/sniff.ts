import { open } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { guessDelimiter } from './csv-rows.ts';

/** What a table seems to be. `text` and `label` are undefined where no column looks the part. */
export interface CsvGuess {
  readonly delimiter: string;
  readonly columns: readonly string[];
  readonly text: string | undefined;
  readonly label: string | undefined;
  /** Classes among the rows that were looked at, sorted. */
  readonly classes: readonly string[];
  /** Rows that were looked at. */
  readonly rows: number;
}

const SAMPLE_BYTES = 256 * 1024;
const MOST_CLASSES = 200;

const readStart = async (path: string): Promise<string> => {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, 0);
    const text = new TextDecoder('utf-8').decode(buffer.subarray(0, bytesRead));
    // The last line of a longer file is cut somewhere.
    return bytesRead < SAMPLE_BYTES ? text : text.slice(0, text.lastIndexOf('\n') + 1);
  } finally {
    await file.close();
  }
};

interface Column {
  readonly name: string;
  readonly averageLength: number;
  readonly distinct: ReadonlySet<string>;
}

const columnsOf = (header: readonly string[], rows: readonly (readonly string[])[]): readonly Column[] =>
  header.map((name, i) => {
    const values = rows.map((row) => row[i]?.trim() ?? '');
    const averageLength = values.reduce((sum, value) => sum + value.length, 0) / Math.max(1, rows.length);
    return { name: name.trim(), averageLength, distinct: new Set(values.filter((value) => value !== '')) };
  });

const labelNames = /^(label|class|category|target|intent|sentiment|topic|tag|y)s?$/i;
const textNames = /^(text|sentence|content|message|body|review|comment|description|utterance|question|title)s?$/i;

const best = (columns: readonly Column[], score: (column: Column) => number): Column | undefined =>
  columns.toSorted((a, b) => score(b) - score(a))[0];

/** The longest values are texts, a telling name beats length. */
const textColumn = (columns: readonly Column[]): Column | undefined =>
  best(columns, ({ name, averageLength }) => averageLength + (textNames.test(name) ? 1e6 : 0));

/** A label repeats: few distinct values for many rows; a telling name beats counts. */
const labelColumn = (columns: readonly Column[], rows: number): Column | undefined =>
  best(
    columns.filter(({ distinct }) => distinct.size >= 2 && distinct.size <= Math.min(MOST_CLASSES, rows / 2)),
    ({ name, distinct }) => (labelNames.test(name) ? 1e6 : 0) - distinct.size,
  );

/** Looks at the start of a table and guesses its delimiter and which columns hold texts and classes. */
export const sniffCsv = async (path: string): Promise<CsvGuess> => {
  const start = await readStart(path);
  const delimiter = guessDelimiter(start.split(/\r?\n/, 1)[0] ?? '');
  const options = { delimiter, relax_column_count: true, relax_quotes: true, skip_empty_lines: true };
  const [header = [], ...rows] = parse(start, options);
  const columns = columnsOf(header, rows);
  const text = textColumn(columns);
  const others = columns.filter((column) => column !== text);
  const label = labelColumn(others, rows.length);
  return {
    delimiter,
    columns: columns.map(({ name }) => name),
    text: text?.name,
    label: label?.name,
    classes: [...(label?.distinct ?? [])].sort(),
    rows: rows.length,
  };
};
