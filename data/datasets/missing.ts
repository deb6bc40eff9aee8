import { z } from 'zod';

/**
 * How programs that write tables spell a value that is not there: pandas, NumPy, R, spreadsheets and databases. `none` in
 * lower case is not among them: people name classes so.
 */
const spellings = [
  ...['nan', 'NaN', 'NAN', '-nan', '-NaN', 'null', 'NULL', 'Null', 'None', 'NA', '<NA>', 'N/A', 'n/a', 'NaT'],
  ...['#N/A', '#N/A N/A', '#NA', '1.#IND', '-1.#IND', '1.#QNAN', '-1.#QNAN', 'undefined'],
];

/** Options of texts and labels that are not there. */
export const missingOptions = {
  missing: z
    .enum(['refuse', 'drop'])
    .default('refuse')
    .describe('What becomes of rows without a text or a label. drop: they are left out, and the report says how many.'),
  missingValues: z
    .array(z.string())
    .default(spellings)
    .describe(
      'Labels that stand for a missing one, beside the empty one, null and NaN of JSON and Parquet. A list of your own takes the place of this one: where None is a class, leave it out.',
    ),
};

export interface MissingOptions {
  readonly missing: 'refuse' | 'drop';
  readonly missingValues: readonly string[];
}

export const isMissing = (label: string, { missingValues }: Pick<MissingOptions, 'missingValues'>): boolean =>
  label === '' || missingValues.includes(label);

/** Whether a value is missing where nobody says how that is spelled. */
export const looksMissing = (label: string): boolean => isMissing(label, { missingValues: spellings });
