import { isUserError, type UserError } from '../../ground/errors.ts';
import { dataErrors } from '../errors.ts';
import { type CsvRecord, csvRecords, type Dialect, type TableText } from './csv-records.ts';
import { type DialectOptions, NO_QUOTE } from './table-options.ts';

const QUOTE = '"';
const delimiters = [',', '\t', ';', '|'];

/** Rows that decide on the delimiter are looked for in this much text. */
const SAMPLE_CHARACTERS = 256 * 1024;

/** Above this share of wholly quoted fields in a column, quotes were put there by whoever wrote the table. */
const QUOTING_SHARE = 0.1;

/** What a table is under one reading. */
interface Reading {
  readonly dialect: Dialect;
  /** Fields of the first row. */
  readonly width: number;
  readonly rows: number;
  /** The first row that goes over several lines. */
  readonly broken: CsvRecord | undefined;
  /** A field holds a quote: where quotes quote, whoever wrote the table doubled it. */
  readonly holdsQuote: boolean;
  /** Largest share of fields in one column that begin and end with a quote, where quotes are plain. */
  readonly quoted: number;
  /** Why it cannot be read so. */
  readonly problem: UserError | undefined;
}

const isQuoted = (field: string): boolean => {
  const bare = field.trim();
  return bare.length > 1 && bare.startsWith(QUOTE) && bare.endsWith(QUOTE);
};

/** A row of nothing but fields in single quotes. */
const singleQuoted = /^'(?:[^'\n]|'')*'(?:[,\t;|] ?'(?:[^'\n]|'')*')+$/;
const ROWS_ASKED = 20;

/** Whether the first rows have all of their fields in single quotes, which nothing but quoting explains. */
export const isSingleQuoted = ({ first }: TableText): boolean => {
  const rows = first
    .split('\n')
    .slice(0, ROWS_ASKED)
    .filter((row) => row !== '');
  return rows.length > 1 && rows.every((row) => singleQuoted.test(row));
};

/** Reads a table to its end, or to the first row that does not fit, or is too narrow for what is looked for. */
const reading = async (text: TableText, dialect: Dialect, narrowest = 1): Promise<Reading> => {
  let [width, rows] = [0, 0];
  let broken: CsvRecord | undefined;
  let holdsQuote = false;
  let problem: UserError | undefined;
  const quoted: number[] = [];
  try {
    for await (const record of csvRecords(text, dialect)) {
      const { fields, line, breaks } = record;
      if (rows++ === 0) width = fields.length;
      if (width < narrowest) break;
      if (fields.length !== width) throw dataErrors.unequalRow(`${text.shown}:${line}`, fields.length, width);
      if (breaks > 0) broken ??= record;
      holdsQuote ||= fields.some((field) => field.includes(QUOTE));
      if (dialect.quote === undefined)
        for (const [i, field] of fields.entries()) if (isQuoted(field)) quoted[i] = (quoted[i] ?? 0) + 1;
    }
  } catch (error) {
    if (!isUserError(error, 'data')) throw error;
    problem = error;
  }
  const share = Math.max(0, ...quoted.filter((count) => count !== undefined)) / Math.max(1, rows);
  return { dialect, width, rows, broken, holdsQuote, quoted: share, problem };
};

/** The start of a table, whole lines of it, and whether that is all. */
interface Sample {
  readonly text: TableText;
  readonly complete: boolean;
  readonly hasQuote: boolean;
}

const sampleOf = async (text: TableText): Promise<Sample> => {
  let start = '';
  let complete = true;
  for await (const block of text.blocks()) {
    start += block;
    complete = start.length < SAMPLE_CHARACTERS;
    if (!complete) break;
  }
  const end = complete ? start.length : start.lastIndexOf('\n') + 1 || start.length;
  const lines = start.slice(0, end);
  const blocks = async function* () {
    yield lines;
  };
  const cut = complete ? {} : { cut: lines.split('\n').length };
  return { text: { ...text, blocks, ...cut }, complete, hasQuote: lines.includes(QUOTE) };
};

const isOpen = ({ quote, escape: escaping }: DialectOptions): boolean => quote === undefined && escaping === undefined;

const dialectsOf = (delimiter: string, given: DialectOptions, hasQuote: boolean): readonly Dialect[] => {
  const plain: Dialect = { delimiter, quote: undefined };
  if (given.quote === NO_QUOTE) return [plain];
  const { quote = QUOTE, escape: escaping } = given;
  const quoting: Dialect = { delimiter, quote, ...(escaping === undefined ? {} : { escape: escaping }) };
  return isOpen(given) && hasQuote ? [quoting, plain] : [quoting];
};

/** The delimiter that the first line uses most, quoted parts left out, and how often. */
const commonest = ({ first }: TableText): { readonly delimiter: string; readonly count: number } => {
  const bare = (first.split('\n', 1)[0] ?? '').replace(/"[^"]*"/g, '');
  const counts = delimiters.map((delimiter) => bare.split(delimiter).length - 1);
  const count = Math.max(...counts);
  return { delimiter: delimiters[counts.indexOf(count)] ?? ',', count };
};

/** Where no delimiter gives equal rows: the header's commonest, or one that parts no row at all. */
const singleColumn = async (sample: Sample, given: DialectOptions): Promise<string> => {
  const { delimiter, count } = commonest(sample.text);
  if (count > 0) return delimiter;
  const [body] = (await allFitting(behindFirst(sample), given, 2)).filter(({ rows }) => rows > 1);
  const [single] = body === undefined ? await allFitting(sample, given, 1) : [body];
  return single?.dialect.delimiter ?? delimiter;
};

/** The sample without its first line: one that is no header has another number of fields. */
const behindFirst = (sample: Sample): Sample => {
  const { text } = sample;
  const blocks = async function* () {
    for await (const block of text.blocks()) yield block.slice(block.indexOf('\n') + 1);
  };
  return { ...sample, text: { ...text, line: text.line + 1, blocks } };
};

/** The first reading with a delimiter that the sample allows, of at least so many columns. */
const fitting = async (
  sample: Sample,
  delimiter: string,
  given: DialectOptions,
  narrowest: number,
): Promise<Reading | undefined> => {
  for (const dialect of dialectsOf(delimiter, given, sample.hasQuote)) {
    const under = await reading(sample.text, dialect, narrowest);
    if (under.problem === undefined && under.width >= narrowest) return under;
  }
  return undefined;
};

const allFitting = async (sample: Sample, given: DialectOptions, narrowest: number): Promise<readonly Reading[]> => {
  const made: Reading[] = [];
  for (const delimiter of delimiters) {
    const under = await fitting(sample, delimiter, given, narrowest);
    if (under !== undefined) made.push(under);
  }
  return made;
};

/** The one delimiter under which all rows have as many fields as the first, and more than one. */
const delimiterOf = async (text: TableText, given: DialectOptions): Promise<string> => {
  const { announced } = text;
  if (given.delimiter !== undefined && announced !== undefined && given.delimiter !== announced) {
    throw dataErrors.otherDelimiter(`${text.shown}:1`, announced, given.delimiter);
  }
  const named = given.delimiter ?? announced;
  if (named !== undefined) return named;
  const sample = await sampleOf(text);
  const wide = await allFitting(sample, given, 2);
  if (wide.length === 0) return singleColumn(sample, given);
  const equal = wide.length === 1 || sample.complete ? wide : await throughout(text, wide);
  const [one, other] = equal;
  if (one !== undefined && other !== undefined) {
    throw dataErrors.twoDelimiters(
      text.shown,
      [one, other].map(({ dialect, width }) => [dialect.delimiter, width] as const),
    );
  }
  return (one ?? wide[0])?.dialect.delimiter ?? ',';
};

/** Of several readings that the sample allows, those that the whole table does. */
const throughout = async (text: TableText, sampled: readonly Reading[]): Promise<readonly Reading[]> => {
  const made: Reading[] = [];
  for (const { dialect } of sampled) made.push(await reading(text, dialect));
  return made.filter(({ problem }) => problem === undefined);
};

/** Tables that have no quoting as a rule: GLUE's and their like, and lists of texts that no comma parts. */
const isPlainKind = ({ dialect: { delimiter }, width }: Reading): boolean =>
  delimiter === '\t' || (width === 1 && delimiter !== ',');

/**
 * Both readings give equal rows, but one of them takes several lines for one field: each of these lines would have to hold
 * exactly the delimiters of a row. Tabs in a text do so never, commas sometimes.
 */
const ofTwo = ({ shown }: TableText, quoting: Reading, plain: Reading, broken: CsvRecord): Dialect => {
  const isQuoting = quoting.holdsQuote || plain.quoted >= QUOTING_SHARE;
  const isPlain = isPlainKind(plain) && plain.width > 1;
  const isOneColumn = quoting.width === 1 && !isPlainKind(quoting);
  if (isOneColumn || (isQuoting && !isPlain)) return quoting.dialect;
  if (isPlain && !isQuoting) return plain.dialect;
  throw dataErrors.twoQuotings(`${shown}:${broken.line}`, quoting.rows, plain.rows, broken.breaks + 1);
};

/** One reading of a table in which quotes occur. A mistake in one row is no reason to read all others in another way. */
const quotingOf = async (text: TableText, quoting: Reading, plain: Reading): Promise<Dialect> => {
  const { problem, broken, dialect } = quoting;
  if (problem === undefined) {
    return plain.problem !== undefined || broken === undefined ? dialect : ofTwo(text, quoting, plain, broken);
  }
  if (plain.problem !== undefined) throw await withEscape(text, dialect, problem);
  if (isPlainKind(plain) && plain.quoted < QUOTING_SHARE) return plain.dialect;
  // As plain characters they and the space would stand in every value.
  if (problem.code === 'spaced-quote' && plain.quoted >= QUOTING_SHARE) throw problem;
  throw dataErrors.orPlain(problem, plain.rows, plain.width);
};

/** Backslashes before quotes, as databases export them, are told where they explain every row. */
const withEscape = async (text: TableText, dialect: Dialect, problem: UserError): Promise<UserError> => {
  const escaped = await reading(text, { ...dialect, escape: '\\' });
  return escaped.problem === undefined ? dataErrors.orEscape(problem, '\\') : problem;
};

const hasQuote = async (text: TableText): Promise<boolean> => {
  for await (const block of text.blocks()) if (block.includes(QUOTE)) return true;
  return false;
};

/**
 * How a table is to be read, decided over all of its rows: the delimiter under which they have equally many fields, and
 * whether double quotes quote. What the rows leave open is refused with both readings.
 */
export const dialectOf = async (text: TableText, given: DialectOptions): Promise<Dialect> => {
  if (isOpen(given) && isSingleQuoted(text)) throw dataErrors.singleQuotes(`${text.shown}:${text.line}`);
  const delimiter = await delimiterOf(text, given);
  const open = isOpen(given) && (await hasQuote(text));
  const [quoting, plain] = dialectsOf(delimiter, given, open);
  if (quoting === undefined) throw new Error('no reading of a table');
  if (plain === undefined) return quoting;
  return quotingOf(text, await reading(text, quoting), await reading(text, plain));
};

/** The same by the start of a table alone: what its first rows leave open is taken as most tables have it. */
export const dialectAtStart = async (text: TableText, given: DialectOptions): Promise<Dialect> => {
  const { text: start, complete } = await sampleOf(text);
  if (complete) return dialectOf(start, given);
  return dialectOf(start, given).catch(async (error: unknown) => {
    if (!isUserError(error, 'data')) throw error;
    return dialectOf(text, given);
  });
};
