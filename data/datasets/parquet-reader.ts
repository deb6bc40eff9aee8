import type { RowReader } from './rows.ts';

/** Decompressors take their time to load, and most commands read no Parquet. */
const library = () => import('./parquet-rows.ts');

/** Reads Apache Parquet. */
export const parquetReader: RowReader = {
  values: async function* (file, columns, most) {
    yield* (await library()).parquetValues(file, columns, most);
  },
  columns: async (file) => (await library()).parquetColumns(file),
  classes: async (file, column) => (await library()).parquetClasses(file, column),
};
