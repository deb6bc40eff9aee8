import { asyncBufferFromFile, parquetScan } from 'hyparquet';
import { isUserError, refusal, refusedOr, reworded } from '../../ground/errors.ts';
import { dataErrors } from '../errors.ts';
import { openError, type SourceFile, sizeOfSource } from './bytes.ts';
import { classNames, compressors, openParquet, type ParquetFile } from './parquet-file.ts';
import type { Values } from './rows.ts';

/** What the reader refuses is a failure of the file: its reason is shown with the file's name. */
const fileError = (error: unknown, source: SourceFile): unknown =>
  isUserError(error, 'data')
    ? error
    : reworded(openError(error, source), (reason) => dataErrors.brokenParquet(source.shown, reason));

/** An open file; what is wrong with it is a dataError. */
export const openedParquet = async (source: SourceFile): Promise<ParquetFile> => {
  try {
    sizeOfSource(source);
    return await openParquet(await asyncBufferFromFile(source.path));
  } catch (error) {
    throw fileError(error, source);
  }
};

/** Where classes are declared, integers are their numbers; -1 is how Hugging Face says that there is none. */
const named = (value: unknown, names: readonly string[] | undefined, column: string, at: string): unknown => {
  if (names !== undefined && Array.isArray(value)) return value.map((one) => named(one, names, column, at));
  if (names === undefined || (typeof value !== 'number' && typeof value !== 'bigint')) return value;
  if (Number(value) === -1) return null;
  const name = names[Number(value)];
  if (name === undefined) throw dataErrors.wrongType(at, column, String(value), `a class number below ${names.length}`);
  return name;
};

interface Range {
  readonly rowStart: number;
  readonly rowEnd: number;
}

type Cells = ArrayLike<unknown>;

const expectRows = (values: Cells, { rowStart, rowEnd }: Range, column: string): Cells => {
  if (values.length === rowEnd - rowStart) return values;
  throw refusal(`column '${column}' has ${values.length} values for ${rowEnd - rowStart} rows`);
};

/** The rows of one row group after another, so that no more than one is in memory. */
async function* groupsOf(parquet: ParquetFile, columns: readonly string[], most: number) {
  const { file, metadata } = parquet;
  const asked = { file, metadata, columns: [...columns], compressors, geoparquet: false };
  const scan = await refusedOr(() => parquetScan(asked));
  for (const whole of scan.ranges) {
    if (whole.rowStart >= most) return;
    const range = { ...whole, rowEnd: Math.min(whole.rowEnd, most) };
    const values = new Map<string, Cells>();
    for (const column of columns) {
      values.set(column, expectRows(await refusedOr(() => scan.readColumn({ column, ...range })), range, column));
    }
    yield { range, values };
  }
}

/** The values of some columns, by row groups; numbers of declared classes by their names. */
export async function* parquetValues(
  source: SourceFile,
  columns: readonly string[],
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Values> {
  const parquet = await openedParquet(source);
  const missing = columns.find((name) => !parquet.columns.includes(name));
  if (missing !== undefined) throw dataErrors.missingColumn(source.shown, missing, parquet.columns);
  const classes = columns.map((column) => classNames(parquet, column));
  try {
    for await (const { range, values } of groupsOf(parquet, [...new Set(columns)], most)) {
      for (let row = range.rowStart; row < range.rowEnd; row++) {
        const at = `${source.shown}, row ${row + 1}`;
        const cell = (column: string, i: number) =>
          named(values.get(column)?.[row - range.rowStart] ?? null, classes[i], column, at);
        yield { at, names: parquet.columns, values: columns.map(cell) };
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
