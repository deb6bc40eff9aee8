import type { RowReader } from './rows.ts';

/** Most commands read no rows. */
const library = () => import('./jsonl-rows.ts');

/** Reads JSON Lines, one object a line, and JSON documents that are a list of objects. */
export const jsonlReader: RowReader = {
  isRagged: true,
  values: async function* (file, columns) {
    yield* (await library()).jsonValues(file, columns);
  },
  columns: async (file) => (await library()).jsonColumns(file),
};
