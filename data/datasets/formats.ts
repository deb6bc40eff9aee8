import { extname } from 'node:path';
import { conllReader } from './conll-reader.ts';
import { csvReader } from './csv-reader.ts';
import { jsonlReader } from './jsonl-reader.ts';
import { parquetReader } from './parquet-reader.ts';
import type { RowReader } from './rows.ts';
import type { TableOptions } from './table-options.ts';

/** Kinds of the user's own files, by the `uses` of their dataset. */
export type FileUses = 'csv' | 'jsonl' | 'parquet' | 'conll';

const byEnding: Readonly<Record<string, FileUses>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'jsonl',
  '.parquet': 'parquet',
  '.conll': 'conll',
  '.iob': 'conll',
  '.iob2': 'conll',
  '.bio': 'conll',
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
    case 'conll':
      return conllReader;
  }
};

/** The same where it was told over all rows how they are read: quotes that are not spoken of quote, and no pass asks again. */
export const settledReader = (uses: FileUses, table: TableOptions): RowReader =>
  readerOf(uses, { quote: '"', ...table });

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
