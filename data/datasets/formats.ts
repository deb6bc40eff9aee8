import { extname } from 'node:path';
import { csvReader } from './csv-reader.ts';
import { jsonlReader } from './jsonl-reader.ts';
import { parquetReader } from './parquet-reader.ts';
import type { RowReader } from './rows.ts';
import type { TableOptions } from './table-options.ts';

/** Kinds of the user's own files, by the `uses` of their dataset. */
export type FileUses = 'csv' | 'jsonl' | 'parquet';

const byEnding: Readonly<Record<string, FileUses>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'jsonl',
  '.parquet': 'parquet',
};

/** The reader of a format; only tables of text have options. */
export const readerOf = (uses: FileUses, table: TableOptions = {}): RowReader => {
  switch (uses) {
    case 'csv':
      return csvReader(table);
    case 'jsonl':
      return jsonlReader;
    case 'parquet':
      return parquetReader;
  }
};

/** The endings of files that more texts may come from; tables of text and JSON may have .gz behind it. */
export const knownEndings: readonly string[] = Object.keys(byEnding);

/** The format that a file's name announces, whether it is compressed or not. */
export const usesByName = (file: string): FileUses | undefined =>
  byEnding[extname(file.replace(/\.gz$/i, '')).toLowerCase()];

/** The reader of that format. */
export const readerByName = (file: string): RowReader | undefined => {
  const uses = usesByName(file);
  return uses === undefined ? undefined : readerOf(uses);
};
