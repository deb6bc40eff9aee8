import { z } from 'zod';
import { fileConditions, fileOptions } from './file-options.ts';
import { parquetReader } from './parquet-reader.ts';
import { defineFileDataset } from './user-files.ts';

/** The user's own Apache Parquet files, as Hugging Face's datasets library writes them. */
export const parquet = defineFileDataset({
  uses: 'parquet',
  summary: 'Your own Apache Parquet files; class names that Hugging Face datasets declare are used.',
  config: z.strictObject({ uses: z.literal('parquet'), ...fileOptions }).check((payload) => fileConditions(payload)),
  reader: () => parquetReader,
});
