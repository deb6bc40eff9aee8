import { z } from 'zod';
import { jsonlReader } from './jsonl-rows.ts';
import { defineDataset } from './kind.ts';
import { fileConditions, fileOptions, fileProblems, fileSources, loadFiles } from './user-files.ts';

const config = z.strictObject({ uses: z.literal('jsonl'), ...fileOptions }).check(fileConditions);

/** The user's own JSON Lines files: text and label by key. */
export const jsonl = defineDataset({
  uses: 'jsonl',
  summary: 'Your own files with one JSON object a line.',
  config,
  sources: fileSources,
  check: (options, base) => fileProblems(options, base, jsonlReader),
  load: (options, base) => loadFiles(options, base, jsonlReader),
});
