import { z } from 'zod';
import { csvReader } from './csv-rows.ts';
import { defineDataset } from './kind.ts';
import { fileConditions, fileOptions, fileProblems, fileSources, loadFiles } from './user-files.ts';

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
export const csv = defineDataset({
  uses: 'csv',
  summary: 'Your own comma- or tab-separated files with a header line.',
  config,
  sources: fileSources,
  check: (options, base) => fileProblems(options, base, csvReader(options.delimiter)),
  load: (options, base) => loadFiles(options, base, csvReader(options.delimiter)),
});
