import type { SourceFile } from './text-blocks.ts';

/** Which columns of a file are meant. A file of unlabelled texts has no label column, only pairs have a second text. */
export interface Columns {
  readonly text: string;
  readonly pair?: string;
  readonly label?: string;
}

/** One text as it stands in a file, untrimmed. */
export interface Row {
  /** File and line (or row), as messages name it. */
  readonly at: string;
  readonly text: string;
  readonly pair: string | undefined;
  readonly label: string | undefined;
}

/** A file format: streams rows; throws a DataError that names file and line. */
export interface RowReader {
  rows(file: SourceFile, columns: Columns): AsyncIterable<Row>;
  /** Column names without reading further than the first row, undefined where there is no row. */
  columns(file: SourceFile): Promise<readonly string[] | undefined>;
  /** Class names of a column in their order, where the format declares them. */
  classes?(file: SourceFile, column: string): Promise<readonly string[] | undefined>;
}

/** What a value is, as messages say it. */
export const kindOfValue = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : `a ${typeof value}`;
