import { closest, distance } from 'fastest-levenshtein';
import { UserError } from '../ground/errors.ts';
import { clipped, listed } from '../ground/names.ts';
import { nearby } from '../ground/near.ts';
import { taskWith } from '../ground/tasks.ts';

/** Something in the user's data that only the user can mend. `code` is stable; the message says where and what to do. */
export const dataError = (code: string, message: string): UserError => new UserError(message, { kind: 'data', code });

/** A problem that shows before any step runs; `path` is the key inside `data:` that it is about. */
export interface DataProblem {
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** `; did you mean 'x'?` for a near name, else the names there are. */
export const nameHint = (found: string, known: readonly string[]): string => {
  if (known.length === 0) return '';
  const best = closest(found.toLowerCase(), [...known]);
  const reach = best.length < 4 ? 1 : Math.max(2, Math.floor(best.length / 3));
  return distance(found.toLowerCase(), best.toLowerCase()) <= reach
    ? `; did you mean '${best}'?`
    : `; there are: ${listed(known)}`;
};

/** ` (and 2 more rows)`, where there are more than one. */
export const others = (count: number, what: string): string =>
  count > 1 ? ` (and ${count - 1} more ${what}${count > 2 ? 's' : ''})` : '';

const strayQuotes = {
  behind: 'there is text behind a closing quote',
  inside: 'there is a quote inside a field that is not quoted',
} as const;

/** One factory a message: what was found, where, what to do. `at` is `file:line`. */
export const dataErrors = {
  missingPackage: (name: string, places: string) =>
    dataError(
      'missing-package',
      `the npm package '${name}' is not installed (looked for node_modules above ${places}); install it: npm install ${name}`,
    ),
  damagedPackage: (file: string, what: string, name: string) =>
    dataError('damaged-package', `${file} holds no ${what}; reinstall it: npm install ${name}`),
  missingFile: (file: string, resolved: string) =>
    dataError(
      'missing-file',
      `the file ${file} does not exist (looked for ${resolved}); correct the path${nearby(resolved)}`,
    ),
  unreadableFile: (file: string, reason: string) => dataError('unreadable-file', `${file} cannot be read: ${reason}`),
  emptyFile: (file: string) => dataError('empty-file', `${file} has no rows; expected one text a row`),
  notUtf8: (at: string, likely: string) =>
    dataError(
      'not-utf8',
      `${at}: the bytes are not UTF-8, but most likely ${likely}; save the file as UTF-8 (in spreadsheets: "CSV UTF-8")`,
    ),
  brokenUtf16: (at: string) =>
    dataError('broken-utf16', `${at}: half of a character of UTF-16; the file was cut: fetch or save it once more`),
  zeroByte: (at: string) =>
    dataError('zero-byte', `${at}: there is a zero byte, which no text has; save the file as UTF-8`),
  foreignFile: (file: string, is: string, advice: string) => dataError('foreign-file', `${file} is ${is}; ${advice}`),
  gzipBomb: (file: string, packed: number, most: number) =>
    dataError(
      'gzip-bomb',
      `${file} has ${packed} bytes and unpacks to more than ${most}: no texts are packed so tightly; where you trust it, unpack it (gunzip) and name the file that comes of it`,
    ),
  longRow: (at: string, most: number) =>
    dataError(
      'long-row',
      `${at}: the row has more than ${most} characters; expected one text a row: look for a quote that never closes, or for missing line ends`,
    ),
  longDocument: (file: string, most: number) =>
    dataError(
      'long-document',
      `${file} is one JSON document of more than ${most} characters; write it as JSON Lines, one object a line (.jsonl)`,
    ),
  otherDocument: (file: string, keys: readonly string[]) =>
    dataError(
      'other-document',
      `${file} is one JSON object${keys.length === 0 ? '' : ` (keys: ${listed(keys, 6)})`}; expected a list of objects or an object a line, one a text (in pandas: to_json(orient='records', lines=True))`,
    ),
  noNumber: (at: string, column: string, found: string, advice: string) =>
    dataError('no-number', `${at}: ${JSON.stringify(found)} in column '${column}' is no number; ${advice}`),
  nothingLeft: (file: string, dropped: number) =>
    dataError(
      'nothing-left',
      `${file}: all ${dropped} rows lack a text or a label and were left out (missing: drop); check that 'text' and 'label' name the right columns`,
    ),
  unclearHeader: (file: string, reason: string) =>
    dataError(
      'unclear-header',
      `${file}: the first row may be names or the first text (${reason}); say which: --header or --no-header`,
    ),
  missingColumn: (at: string, name: string, known: readonly string[]) =>
    dataError('missing-column', `${at}: there is no column '${name}'${nameHint(name, known)}`),
  repeatedColumn: (at: string, name: string, names: readonly string[]) =>
    dataError(
      'repeated-column',
      `${at}: the column '${name}' appears more than once (columns ${names.flatMap((one, i) => (one === name ? [i + 1] : [])).join(', ')}); rename all but one`,
    ),
  unequalRow: (at: string, found: number, expected: number) =>
    dataError(
      'unequal-row',
      `${at}: the row has ${found} field${found === 1 ? '' : 's'}, the ${expected === 1 ? 'first row' : 'header'} ${expected}; ${
        expected === 1
          ? "write 'delimiter', or remove lines above the header"
          : "quote fields that hold the delimiter, or set 'delimiter'"
      }`,
    ),
  otherWidth: (at: string, found: number, named: number) =>
    dataError('other-width', `${at}: the row has ${found} fields, 'header' names ${named}; name every column`),
  otherDelimiter: (at: string, announced: string, given: string) =>
    dataError(
      'other-delimiter',
      `${at}: the file says that its delimiter is ${JSON.stringify(announced)}, 'delimiter' that it is ${JSON.stringify(given)}; correct or remove one of them`,
    ),
  twoDelimiters: (file: string, readings: readonly (readonly [delimiter: string, columns: number])[]) =>
    dataError(
      'two-delimiters',
      `${file} can be read with ${readings.map(([delimiter, columns]) => `delimiter ${JSON.stringify(delimiter)} (${columns} columns)`).join(' and with ')}; write 'delimiter'`,
    ),
  twoQuotings: (at: string, quoting: number, plain: number, lines: number) =>
    dataError(
      'two-quotings',
      `${at}: a double quote begins a field that goes over ${lines} lines if quotes quote (${quoting} rows in all), and over one if they are plain characters (${plain} rows); write quote: '"' or quote: none`,
    ),
  orPlain: ({ code, message }: UserError, rows: number, columns: number) =>
    dataError(
      code,
      `${message}; if quotes are plain characters in this file (${rows} rows of ${columns} field${columns === 1 ? '' : 's'}), write quote: none`,
    ),
  orEscape: ({ code, message }: UserError, character: string) =>
    dataError(code, `${message}; all rows can be read with escape: ${JSON.stringify(character)}`),
  orNoHeader: ({ code, message }: UserError) =>
    dataError(code, `${message}; where the first row is no header, write header: false`),
  openQuote: (at: string, inside: string) =>
    dataError(
      'open-quote',
      `${at}: a quote in this row never closes; close it, or write ${inside} for a quote inside a field`,
    ),
  strayQuote: (at: string, where: keyof typeof strayQuotes, inside: string) =>
    dataError(
      'stray-quote',
      `${at}: ${strayQuotes[where]}; quote the whole field and write ${inside} for a quote inside it`,
    ),
  spacedQuote: (at: string, delimiter: string, quote: string) =>
    dataError(
      'spaced-quote',
      `${at}: there is a space before the quote that opens a field; replace ${delimiter} ${quote} by ${delimiter}${quote} throughout, so that the quote stands behind the delimiter`,
    ),
  singleQuotes: (at: string) =>
    dataError(
      'single-quotes',
      `${at}: every field is in single quotes; write quote: "'", or, where they are a part of the values, quote: none`,
    ),
  brokenCsv: (at: string, reason: string) => dataError('broken-csv', `${at}: ${reason}`),
  brokenJson: (at: string, reason: string, expected: string) =>
    dataError('broken-json', `${at}: ${reason}; ${expected}`),
  brokenParquet: (file: string, reason: string) =>
    dataError(
      'broken-parquet',
      `${file} cannot be read as Parquet: ${reason}; expected a whole Apache Parquet file with one text a row`,
    ),
  roundedNumber: (at: string, column: string, read: string) =>
    dataError(
      'rounded-number',
      `${at}: the number in '${column}' is beyond 2^53: it and others are read as ${read}; write it in quotes, as a text`,
    ),
  wrongType: (at: string, name: string, found: string, expected: string) =>
    dataError('wrong-type', `${at}: '${name}' is ${found}; expected ${expected}`),
  noSet: (at: string, name: string, found: string, example: string) =>
    dataError(
      'no-set',
      `${at}: '${name}' is '${clipped(found)}'; expected a JSON array of classes, such as ${example} ([] for none), or write 'separator': what stands between them`,
    ),
  oddLine: (at: string, found: number, expected: number) =>
    dataError(
      'odd-line',
      `${at}: the line has ${found} field${found === 1 ? '' : 's'}, the sentence ${expected}; expected a word and its tags on each line, and an empty line between sentences`,
    ),
  noTag: (at: string, tag: string) =>
    dataError(
      'no-tag',
      `${at}: '${clipped(tag)}' is no tag of an entity; expected O, or B-, I-, E-, S- (L-, U-) and a type, such as B-PER; where tags are classes of single words, write task: ${taskWith('word', 'choice')}`,
    ),
  brokenTags: (
    at: string,
    { tag, after, advice }: { readonly tag: string; readonly after: string | undefined; readonly advice: string },
  ) =>
    dataError(
      'broken-tags',
      `${at}: '${clipped(tag)}' ${after === undefined ? 'begins the text' : `follows '${clipped(after)}'`}: ${advice}`,
    ),
  openEntity: (at: string, tag: string, advice: string) =>
    dataError('broken-tags', `${at}: the text ends with '${clipped(tag)}': ${advice}`),
  mixedSchemes: (at: string, tag: string, otherAt: string, other: string) =>
    dataError(
      'mixed-schemes',
      `${at}: '${clipped(tag)}' is of the scheme IOBES, ${otherAt}: '${clipped(other)}' of BILOU; write all tags in one scheme`,
    ),
  unequalTags: (at: string, words: number, tags: number) =>
    dataError('unequal-tags', `${at}: there are ${words} words and ${tags} tags; expected one tag a word`),
  noWord: (at: string, found: string) =>
    dataError('no-word', `${at}: ${found}; expected a word without spaces in it: words are parted by single spaces`),
  unknownId: (at: string, column: string, id: number, names: number) =>
    dataError(
      'unknown-id',
      `${at}: '${column}' has the number ${id}; 'names' lists ${names} classes, 0 to ${names - 1}: add the names that lack`,
    ),
  namelessIds: (at: string, column: string) =>
    dataError(
      'nameless-ids',
      `${at}: '${column}' has numbers; say what they stand for: names: [O, B-PER, I-PER, ...], in their order from 0`,
    ),
  badSpan: (at: string, span: string, problem: string) => dataError('bad-span', `${at}: the span ${span} ${problem}`),
  emptyText: (at: string, count: number) =>
    dataError('empty-text', `${at}: the text is empty${others(count, 'row')}; fill it in or remove the row`),
  emptyNumber: (at: string, count: number, spelled: string, noun: string) =>
    dataError(
      'empty-label',
      `${at}: the ${noun} is ${spelled === '' ? 'empty' : `'${spelled}', which stands for a missing one`}${others(count, 'row')}; fill it in, leave such rows out with missing: drop, or move texts without one to a file of their own and name it under 'unlabelled'`,
    ),
  emptyLabel: (at: string, count: number, spelled: string) =>
    dataError(
      'empty-label',
      spelled === ''
        ? `${at}: the label is empty${others(count, 'row')}; fill it in, leave such rows out with missing: drop, or move texts without labels to a file of their own and name it under 'unlabelled'`
        : `${at}: the label is '${spelled}', which stands for a missing one${others(count, 'row')}; fill it in, leave such rows out with missing: drop, or, where '${spelled}' is a class, list what else stands for a missing one: missingValues: []`,
    ),
  foreignSplit: (at: string, column: string, found: string, known: readonly string[]) =>
    dataError(
      'foreign-split',
      `${at}: '${column}' is '${found}'; expected one of ${listed(known)}, or remove 'splitColumn'`,
    ),
  oneNumber: (source: string, number: number) =>
    dataError(
      'one-number',
      `${source}: every training text has the number ${number}: there is nothing to learn; check that 'label' names the right column`,
    ),
  closeNumbers: (source: string, mean: number, deviation: number) =>
    dataError(
      'close-numbers',
      `${source}: the numbers lie within ${deviation.toPrecision(2)} of ${mean}, closer together than a float of that size can tell; subtract a constant from the column, such as ${Math.round(mean)}`,
    ),
  oneClass: (file: string, label: string | undefined) =>
    dataError(
      'one-class',
      label === undefined
        ? `${file} has no labelled training text; expected at least two classes (texts that the test or validation file holds, too, are not trained on)`
        : `all training texts of ${file} are labelled '${label}'; expected at least two classes: check that 'label' names the right column`,
    ),
  foreignLabel: (at: string, label: string, known: readonly string[]) =>
    dataError(
      'foreign-label',
      `${at}: no training text is labelled '${label}'${nameHint(label, known)}; correct the label, remove the row, or add training texts for it`,
    ),
  emptySplit: (split: string, texts: number) =>
    dataError(
      'empty-split',
      `the ${split} split is empty: ${texts} unique texts are too few; add texts or raise its share`,
    ),
  oneTextAClass: (source: string, texts: number, classes: number) =>
    dataError(
      'one-text-a-class',
      `${source} has ${classes} classes for ${texts} unique texts, and every class needs one to train on: check that 'label' names the right column`,
    ),
};
