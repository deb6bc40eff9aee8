import { z } from 'zod';
import { csvReader } from './csv-rows.ts';
import { fileConditions, fileOptions } from './file-options.ts';
import { defineFileDataset } from './user-files.ts';

const config = z
  .strictObject({
    uses: z.literal('csv'),
    ...fileOptions,
    delimiter: z
      .string()
      .length(1, 'expected one character')
      .optional()
      .describe("What separates fields; without it, the header's commonest of comma, tab, semicolon and bar."),
  })
  .check(fileConditions);

/** The user's own tables: text and label columns by name. */
export const csv = defineFileDataset({
  uses: 'csv',
  summary: 'Your own comma- or tab-separated files with a header line.',
  config,
  reader: ({ delimiter }) => csvReader(delimiter),
});
