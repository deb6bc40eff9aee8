import { open } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { parquetScan } from 'hyparquet';
import { guessDelimiter } from './csv-rows.ts';
import { parseLine } from './jsonl-rows.ts';
import { classNames, compressors } from './parquet-file.ts';
import { openedParquet } from './parquet-rows.ts';
import type { SourceFile } from './text-blocks.ts';

/** The first rows of a file as texts. */
export interface Sample {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What separates fields, in a table of text. */
  readonly delimiter?: string;
}

const SAMPLE_BYTES = 256 * 1024;
const SAMPLE_ROWS = 2000;

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

const csvSample = async ({ path }: SourceFile): Promise<Sample> => {
  const start = await readStart(path);
  const delimiter = guessDelimiter(start.split(/\r?\n/, 1)[0] ?? '');
  const options = { delimiter, relax_column_count: true, relax_quotes: true, skip_empty_lines: true };
  const [header = [], ...rows] = parse(start, options);
  return { columns: header.map((name) => name.trim()), rows, delimiter };
};

/** Lists and objects are neither texts nor classes. */
const isScalar = (value: unknown): boolean => ['string', 'number', 'bigint', 'boolean'].includes(typeof value);

const shown = (value: unknown): string => (isScalar(value) ? String(value) : '');

const jsonlSample = async (file: SourceFile): Promise<Sample> => {
  const lines = (await readStart(file.path)).split(/\r?\n/);
  const objects = lines.flatMap((line, i) => (line.trim() === '' ? [] : [parseLine(line, `${file.shown}:${i + 1}`)]));
  const [first = {}] = objects;
  const columns = Object.keys(first).filter((name) => isScalar(first[name]));
  return { columns, rows: objects.map((object) => columns.map((name) => shown(object[name]))) };
};

const parquetSample = async (source: SourceFile): Promise<Sample> => {
  const parquet = await openedParquet(source);
  const { file, metadata, columns } = parquet;
  const scan = await parquetScan({ file, metadata, compressors, geoparquet: false });
  const rowEnd = Math.min(SAMPLE_ROWS, scan.ranges[0]?.rowEnd ?? 0);
  const values = await Promise.all(
    columns.map(async (column) => {
      const names = classNames(parquet, column);
      const cells: readonly unknown[] = Array.from(await scan.readColumn({ column, rowStart: 0, rowEnd }));
      return cells.map((cell) => (typeof cell === 'string' ? cell : (names?.[Number(cell)] ?? shown(cell))));
    }),
  );
  const rows = Array.from({ length: rowEnd }, (_, row) => values.map((column) => column[row] ?? ''));
  return { columns, rows };
};

/** File formats that a sample can be taken from, by the `uses` of their dataset. */
export const samplers = { csv: csvSample, jsonl: jsonlSample, parquet: parquetSample } as const;
