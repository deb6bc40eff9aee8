import { z } from 'zod';
import { fileConditions, fileOptions } from './file-options.ts';
import { jsonlReader } from './jsonl-reader.ts';
import { defineFileDataset } from './user-files.ts';

/** The user's own JSON Lines files: text and label by key. */
export const jsonl = defineFileDataset({
  uses: 'jsonl',
  summary: 'Your own files with one JSON object a line, or one list of objects (.json), compressed by gzip or not.',
  config: z.strictObject({ uses: z.literal('jsonl'), ...fileOptions }).check((payload) => fileConditions(payload)),
  reader: () => jsonlReader,
});
