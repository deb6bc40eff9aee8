import { dataErrors } from '../errors.ts';
import { fileHead, type SourceFile } from './bytes.ts';
import { isJson } from './csv-records.ts';
import { openTable } from './csv-rows.ts';
import { encodingOf } from './encoding.ts';
import { isParquet } from './file-kinds.ts';
import { type FileUses, readerOf, settledReader, usesByName } from './formats.ts';
import { type FirstRow, firstRowOf, isTextName, labelNames, pairNames } from './header.ts';
import { looksMissing } from './missing.ts';
import type { RowReader } from './rows.ts';
import { areDecimals, likeliestNumber, numbersIn } from './sniff-numbers.ts';
import { untriedSeparator } from './sniff-separators.ts';
import { flagColumns, likeliestSets, type RawColumn, type SetsGuess, setColumns } from './sniff-sets.ts';
import { lineColumns, looksLikeLines, type WordsGuess, wordColumns } from './sniff-words.ts';
import { isSplitColumn, partsRows } from './split-column.ts';
import { NO_QUOTE, type TableOptions } from './table-options.ts';
import { isNested, isScalar } from './values.ts';

/** What a file seems to hold. `text`, `pair` and `label` are undefined where no column looks the part. */
export interface DataGuess {
  /** The dataset kind that reads it. */
  readonly uses: FileUses;
  /** How a table of text is read, where that is not what every CSV has. */
  readonly table: TableOptions;
  readonly columns: readonly string[];
  readonly text: string | undefined;
  readonly pair: string | undefined;
  readonly label: string | undefined;
  /** Where several classes a text stand, as far as any seem to: the likeliest first. */
  readonly sets?: readonly SetsGuess[];
  /** Where words with something known of each stand, as far as any seem to: the likeliest first. */
  readonly words?: readonly WordsGuess[];
  /** Columns that seem to hold one number a text; left out where none does. */
  readonly numbers?: readonly string[];
  /** Whether a comma stands before the decimals of the numbers in the column of the label. */
  readonly decimalComma?: boolean;
  /** A mark that all rows have equally often where a table has one column: it may part more of them. */
  readonly separator?: string;
  /** Column that says in which split a row is. */
  readonly split: string | undefined;
  /** Classes among the rows that were looked at, sorted. */
  readonly classes: readonly string[];
  /** Rows that were looked at. */
  readonly rows: number;
}

const SAMPLE_ROWS = 2000;
const MOST_CLASSES = 200;

interface Column {
  readonly name: string;
  readonly averageLength: number;
  readonly distinct: ReadonlySet<string>;
}

/** The first rows of a file as texts; columns that hold lists or objects are left out. */
interface Sample {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Every column as the format has it. */
  readonly raw: readonly RawColumn[];
}

const shown = (value: unknown): string => (isScalar(value) ? String(value) : '');

/** Columns that can be named, each once: of two with one name nobody knows which is meant. */
const nameable = (names: readonly string[], { shown: file }: SourceFile): readonly string[] => {
  const named = names.filter((name) => name !== '');
  const repeated = named.find((name, i) => named.indexOf(name) < i);
  if (repeated !== undefined) throw dataErrors.repeatedColumn(file, repeated, names);
  return named;
};

const sampleOf = async (reader: RowReader, file: SourceFile, most: number): Promise<Sample> => {
  const names = nameable((await reader.columns(file)) ?? [], file);
  const rows: (readonly unknown[])[] = [];
  for await (const { values } of reader.values(file, names)) {
    rows.push(values);
    if (rows.length === most) break;
  }
  const plain = names.flatMap((_, i) => (rows.some((row) => isNested(row[i])) ? [] : [i]));
  return {
    columns: plain.map((i) => names[i] ?? ''),
    rows: rows.map((row) => plain.map((i) => shown(row[i]))),
    raw: names.map((name, i) => ({ name, values: () => rows.map((row) => row[i]) })),
  };
};

const columnsOf = ({ columns, rows }: Sample): readonly Column[] =>
  columns.map((name, i) => {
    const values = rows.map((row) => row[i]?.trim() ?? '');
    const averageLength = values.reduce((sum, value) => sum + value.length, 0) / Math.max(1, rows.length);
    return { name, averageLength, distinct: new Set(values.filter((value) => !looksMissing(value))) };
  });

const best = (columns: readonly Column[], score: (column: Column) => number): Column | undefined =>
  columns.toSorted((a, b) => score(b) - score(a))[0];

/** Two columns that are named as pairs are, or the one of the texts: the longest values, a telling name beats length. */
const textColumns = (columns: readonly Column[]): readonly [Column | undefined, Column | undefined] => {
  for (const [first, second] of pairNames) {
    const found = [
      columns.find(({ name }) => first.test(name)),
      columns.find(({ name }) => second.test(name)),
    ] as const;
    if (found[0] !== undefined && found[1] !== undefined) return found;
  }
  return [best(columns, ({ name, averageLength }) => averageLength + (isTextName(name) ? 1e6 : 0)), undefined] as const;
};

/** A label repeats: few distinct values for many rows; a telling name beats counts. */
const labelColumn = (columns: readonly Column[], rows: number): Column | undefined =>
  best(
    columns.filter(({ distinct }) => distinct.size >= 2 && distinct.size <= Math.min(MOST_CLASSES, rows / 2)),
    ({ name, distinct }) => (labelNames.test(name) ? 1e6 : 0) - distinct.size,
  );

/** The kind that reads a file, by its name; by its first character where the name says nothing. */
const usesOf = (path: string, head: Buffer): FileUses => {
  if (isParquet(head)) return 'parquet';
  const start = new TextDecoder(encodingOf(head).name).decode(head);
  if (isJson(start)) return 'jsonl';
  if (looksLikeLines(start)) return 'conll';
  return usesByName(path) ?? (/^[[{]/.test(start.trimStart()) ? 'jsonl' : 'csv');
};

const tableOptions = async (file: SourceFile, header: boolean | undefined): Promise<TableOptions> => {
  const { dialect, first } = await openTable(file);
  const read: TableOptions = {
    delimiter: dialect.delimiter,
    ...(dialect.quote === '"' ? {} : { quote: dialect.quote ?? NO_QUOTE }),
  };
  if (first === undefined) return read;
  const named = header ?? isHeader(await firstRowOf(readerOf('csv', { ...read, header: false }), file, first), file);
  return named ? read : { ...read, header: false };
};

const isHeader = (row: FirstRow, { shown: file }: SourceFile): boolean => {
  if (row.is !== 'unclear') return row.is === 'names';
  throw dataErrors.unclearHeader(file, row.reason);
};

const separatorOf = ({ columns, rows }: Sample, { header }: TableOptions): string | undefined =>
  untriedSeparator([...(header === false ? [] : columns), ...rows.map(([text = '']) => text)]);

/** Looks at the start of a file and guesses its format and which columns hold texts and classes. */
export const sniff = async (path: string, header?: boolean): Promise<DataGuess> => {
  const file = { shown: path, path };
  const uses = usesOf(path, await fileHead(file));
  const table = uses === 'csv' ? await tableOptions(file, header) : {};
  const sample = await sampleOf(settledReader(uses, table), file, SAMPLE_ROWS);
  const columns = columnsOf(sample);
  const split = columns.find(({ name, distinct }) => isSplitColumn(name, distinct) && !labelNames.test(name));
  const separator = uses === 'csv' && sample.raw.length === 1 ? separatorOf(sample, table) : undefined;
  const candidates = columns.filter((column) => column !== split);
  const open = sample.raw.filter(({ name }) => name !== split?.name && !partsRows(name));
  const inOne = setColumns(open.filter(({ name }) => !isTextName(name)));
  // Lists of classes may be longer than the texts that have them.
  const lists = new Set(inOne.flatMap((one) => one.columns));
  const [text, pair] = textColumns(candidates.filter(({ name }) => !lists.has(name)));
  const words = uses === 'conll' ? lineColumns(sample.raw) : wordColumns(open, text?.name);
  const others = candidates.filter((column) => column !== text && column !== pair && !partsRows(column.name));
  const classes = labelColumn(others, sample.rows.length);
  const numbers = numbersIn(others);
  const label = likeliestNumber(numbers, classes) ?? classes;
  const sets = [...inOne, ...flagColumns(open.filter(({ name }) => name !== text?.name && name !== pair?.name))];
  const likeliest = likeliestSets(sets, label?.name);
  const isNumber = label !== undefined && numbers.includes(label);
  return {
    uses,
    table,
    columns: likeliest === undefined && words.length === 0 ? sample.columns : sample.raw.map(({ name }) => name),
    ...(words.length === 0 ? {} : { words }),
    text: text?.name,
    pair: pair?.name,
    label: likeliest === undefined ? label?.name : likeliest.columns[0],
    ...(sets.length === 0
      ? {}
      : { sets: likeliest === undefined ? sets : [likeliest, ...sets.filter((one) => one !== likeliest)] }),
    ...(numbers.length === 0 ? {} : { numbers: numbers.map(({ name }) => name) }),
    ...(isNumber && areDecimals(label.distinct) ? { decimalComma: true } : {}),
    ...(separator === undefined ? {} : { separator }),
    split: split?.name,
    classes: likeliest?.classes ?? (isNumber ? [] : [...(label?.distinct ?? [])].sort()),
    rows: sample.rows.length,
  };
};
