import type { RowReader } from './rows.ts';
import { isNameless, type TableOptions } from './table-options.ts';

/** The parser takes its time to load, and most commands read no table. */
const library = () => import('./csv-rows.ts');

/** Reads tables of text (RFC 4180 and its relatives); what options leave open is decided over the rows. */
export const csvReader = (options: TableOptions): RowReader => ({
  isNameless: (names, columns) => isNameless(names, columns, options),
  values: async function* (file, columns, most) {
    yield* (await library()).csvValues(file, columns, options, most);
  },
  columns: async (file) => (await library()).csvColumns(file, options),
});
