import { z } from 'zod';
import { csvReader } from './csv-reader.ts';
import { columnOption, fileConditions, fileOptions } from './file-options.ts';
import { NO_QUOTE } from './table-options.ts';
import { defineFileDataset } from './user-files.ts';

const character = (expected: string) =>
  z
    .string()
    .refine((text) => text.length === 1 && !/[\n\r]/.test(text), expected)
    .optional();

const config = z
  .strictObject({
    uses: z.literal('csv'),
    ...fileOptions,
    delimiter: character('expected one character').describe(
      'What separates fields; without it, the one of comma, tab, semicolon and bar under which all rows have as many fields as the first.',
    ),
    quote: z
      .string()
      .refine(
        (text) => text === NO_QUOTE || (text.length === 1 && !/[\n\r]/.test(text)),
        "expected one character, or 'none'",
      )
      .optional()
      .describe(
        'What fields are quoted with; none: quotes are plain characters. Without it, the double quote, unless all rows of a tab-separated file say that it is plain.',
      ),
    escape: character('expected one character').describe(
      'What stands before a quote inside of a quoted field; without it, the quote itself.',
    ),
    header: z
      .union([z.boolean(), z.array(columnOption).min(1)], { error: 'expected true, false or a list of names' })
      .default(true)
      .describe('true: the first row has the names; false: columns are called 1, 2, 3; a list: these are their names.'),
  })
  .check((payload) => fileConditions(payload))
  .check(({ value, issues }) => {
    const { delimiter, quote } = value;
    const complain = (key: 'quote' | 'escape', message: string) =>
      issues.push({ code: 'custom', input: value[key], path: [key], message });
    if (quote !== undefined && quote === delimiter) complain('quote', 'expected another character than the delimiter');
    if (value.escape !== undefined && value.escape === delimiter)
      complain('escape', 'expected another character than the delimiter');
    if (value.escape !== undefined && quote === NO_QUOTE) complain('escape', 'expected no escape with quote: none');
  });

/** The user's own tables: text and label columns by name. */
export const csv = defineFileDataset({
  uses: 'csv',
  summary: 'Your own comma- or tab-separated files, in UTF-8 or UTF-16, compressed by gzip or not.',
  config,
  reader: csvReader,
});
