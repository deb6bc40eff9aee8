import type { Part } from './parts.ts';
import { isSplitColumn, seemsSplitColumn } from './split-column.ts';
import { isScalar } from './values.ts';

/** Enough to see all names of splits in most files, of no more columns than anybody reads. */
const ROWS = 500;
const MOST_COLUMNS = 100;

const openColumns = async ({ file, reader, columns }: Part): Promise<readonly string[]> => {
  if (reader.isNaming === true) return [];
  const { text, pair, target, group = '', time = '' } = columns;
  const used = new Set([text, pair, group, time, ...(target?.names ?? [])]);
  const all = (await reader.columns(file)) ?? [];
  const isOnce = (name: string): boolean => all.indexOf(name) === all.lastIndexOf(name);
  return all.filter((name) => name !== '' && !used.has(name) && isOnce(name)).slice(0, MOST_COLUMNS);
};

const howToUse = (name: string, values: ReadonlySet<string>): string =>
  isSplitColumn(name, values)
    ? `to use it, write splitColumn: ${JSON.stringify(name)}`
    : `to use it, fill a column with train, validation and test, and name it as splitColumn`;

/** Columns of a file that seem to say in which split a row is, and that nobody named: their test rows train. */
export const ignoredSplits = async (part: Part): Promise<readonly string[]> => {
  const names = await openColumns(part);
  const values = names.map(() => new Set<string>());
  let rows = 0;
  if (names.length === 0) return [];
  for await (const row of part.reader.values(part.file, names, ROWS)) {
    for (const [i, value] of row.values.entries()) {
      if (isScalar(value) && String(value).trim() !== '') values[i]?.add(String(value).trim());
    }
    if (++rows === ROWS) break;
  }
  return names.flatMap((name, i) => {
    const own = values[i] ?? new Set();
    return seemsSplitColumn(name, own)
      ? [
          `column '${name}' seems to say in which split a row is, and is ignored: rows go to the splits by their hash; ${howToUse(name, own)}`,
        ]
      : [];
  });
};
