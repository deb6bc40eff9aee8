import { extname } from 'node:path';
import { csvReader } from './csv-rows.ts';
import { jsonlReader } from './jsonl-rows.ts';
import { parquetReader } from './parquet-reader.ts';
import type { RowReader } from './rows.ts';

const byEnding: Readonly<Record<string, RowReader>> = {
  '.csv': csvReader(undefined),
  '.tsv': csvReader(undefined),
  '.jsonl': jsonlReader,
  '.ndjson': jsonlReader,
  '.parquet': parquetReader,
};

/** The endings of files that more texts may come from. */
export const knownEndings: readonly string[] = Object.keys(byEnding);

/** The format that a file's name announces. */
export const readerByName = (file: string): RowReader | undefined => byEnding[extname(file).toLowerCase()];
