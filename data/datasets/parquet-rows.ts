import { asyncBufferFromFile, parquetScan } from 'hyparquet';
import { DataError, dataErrors } from '../errors.ts';
import { classNames, compressors, openParquet, type ParquetFile } from './parquet-file.ts';
import { type Columns, kindOfValue, type Row } from './rows.ts';
import { openError, type SourceFile } from './text-blocks.ts';

/** Failures of the reader are failures of the file: their reasons are shown with its name. */
const fileError = (error: unknown, source: SourceFile): unknown => {
  if (error instanceof DataError) return error;
  const known = openError(error, source);
  if (known !== error) return known;
  return dataErrors.brokenParquet(source.shown, error instanceof Error ? error.message : String(error));
};

/** An open file; what is wrong with it is a DataError. */
export const openedParquet = async (source: SourceFile): Promise<ParquetFile> => {
  try {
    return await openParquet(await asyncBufferFromFile(source.path));
  } catch (error) {
    throw fileError(error, source);
  }
};

const textOf = (value: unknown, column: string, at: string): string => {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  throw dataErrors.wrongType(at, column, kindOfValue(value), 'a text');
};

/** Where classes are declared, integers are their numbers; -1 is how Hugging Face says that there is none. */
const labelOf = (value: unknown, column: string, names: readonly string[] | undefined, at: string): string => {
  const plain = ['number', 'bigint', 'boolean'].includes(typeof value) ? String(value) : textOf(value, column, at);
  if (names === undefined || plain === '' || typeof value === 'string') return plain;
  if (plain === '-1') return '';
  const name = names[Number(plain)];
  if (name === undefined) throw dataErrors.wrongType(at, column, plain, `a class number below ${names.length}`);
  return name;
};

interface Range {
  readonly rowStart: number;
  readonly rowEnd: number;
}

type Values = ArrayLike<unknown>;

const expectRows = (values: Values, { rowStart, rowEnd }: Range, column: string): Values => {
  if (values.length === rowEnd - rowStart) return values;
  throw new Error(`column '${column}' has ${values.length} values for ${rowEnd - rowStart} rows`);
};

/** The rows of one row group after another, so that no more than one is in memory. */
async function* groupsOf(parquet: ParquetFile, columns: readonly string[]) {
  const { file, metadata } = parquet;
  const scan = await parquetScan({ file, metadata, columns: [...columns], compressors, geoparquet: false });
  for (const range of scan.ranges) {
    const values = new Map<string, Values>();
    for (const column of columns) {
      values.set(column, expectRows(await scan.readColumn({ column, ...range }), range, column));
    }
    yield { range, values };
  }
}

/** All rows, by row groups; labels may be texts, numbers or booleans, or numbers of declared classes. */
export async function* parquetRows(source: SourceFile, { text, pair, label }: Columns): AsyncGenerator<Row> {
  const parquet = await openedParquet(source);
  const columns = [text, pair, label].filter((name) => name !== undefined);
  const missing = columns.find((name) => !parquet.columns.includes(name));
  if (missing !== undefined) throw dataErrors.missingColumn(source.shown, missing, parquet.columns);
  const names = label === undefined ? undefined : classNames(parquet, label);
  try {
    for await (const { range, values } of groupsOf(parquet, [...new Set(columns)])) {
      for (let row = range.rowStart; row < range.rowEnd; row++) {
        const at = `${source.shown}, row ${row + 1}`;
        const cell = (column: string): unknown => values.get(column)?.[row - range.rowStart];
        yield {
          at,
          text: textOf(cell(text), text, at),
          pair: pair === undefined ? undefined : textOf(cell(pair), pair, at),
          label: label === undefined ? undefined : labelOf(cell(label), label, names, at),
        };
      }
    }
  } catch (error) {
    throw fileError(error, source);
  }
}

/** Column names by the footer alone; undefined where there is no row. */
export const parquetColumns = async (source: SourceFile): Promise<readonly string[] | undefined> => {
  const { columns, metadata } = await openedParquet(source);
  return metadata.num_rows === 0n ? undefined : columns;
};

/** Declared class names of a column. */
export const parquetClasses = async (source: SourceFile, column: string): Promise<readonly string[] | undefined> =>
  classNames(await openedParquet(source), column);
