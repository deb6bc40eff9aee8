import type { SourceFile } from './text-blocks.ts';

/** Which columns of a file are meant. A file of unlabelled texts has no label column. */
export interface Columns {
  readonly text: string;
  readonly label?: string;
}

/** One text as it stands in a file, untrimmed. */
export interface Row {
  readonly line: number;
  readonly text: string;
  readonly label: string | undefined;
}

/** A file format: streams rows; throws a DataError that names file and line. */
export interface RowReader {
  rows(file: SourceFile, columns: Columns): AsyncIterable<Row>;
  /** Column names without reading further than the first row, undefined where there is no row. */
  columns(file: SourceFile): Promise<readonly string[] | undefined>;
}
