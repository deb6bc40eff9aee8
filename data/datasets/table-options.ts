export const NO_QUOTE = 'none';

/** What the user says of a table; what is left out is decided over its rows. */
export interface DialectOptions {
  readonly delimiter?: string | undefined;
  /** A character, or none: no character quotes. */
  readonly quote?: string | undefined;
  readonly escape?: string | undefined;
}

/** What the user says of a table. */
export interface TableOptions extends DialectOptions {
  /** true: the first row has the names; false: columns are called 1, 2, 3; a list: these are the names. */
  readonly header?: boolean | readonly string[] | undefined;
}

/** None of several columns is there: the first row most likely is no header. */
export const isNameless = (names: readonly string[], columns: readonly string[], { header }: TableOptions): boolean =>
  (header ?? true) === true && columns.length > 1 && !columns.some((name) => names.includes(name));
