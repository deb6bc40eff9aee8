import { isRecord } from '../../ground/records.ts';
import { dataErrors } from '../errors.ts';
import type { SourceFile } from './bytes.ts';
import type { Values } from './rows.ts';
import { textLines, wholeText } from './text-blocks.ts';
import { isNested, kindOfValue } from './values.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const lineOf = (text: string): string => `the line is ${text}`;

/** What most often is wrong with a line that is no JSON. */
const adviceFor = (line: string): string => {
  if (/,\s*$/.test(line)) return 'expected one JSON object a line, no comma behind it';
  if (/[:[,]\s*(?:NaN|-?Infinity)\b/.test(line)) return 'JSON knows no NaN: write null where there is no value';
  return 'expected one JSON object a line';
};

/** One line as an object; throws a dataError where it is none. */
const parseLine = (line: string, at: string): JsonObject => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw dataErrors.brokenJson(at, error instanceof Error ? error.message : String(error), adviceFor(line));
  }
  if (!isRecord(value)) throw dataErrors.brokenJson(at, lineOf(kindOfValue(value)), adviceFor(''));
  return value;
};

interface Located {
  readonly at: string;
  readonly object: JsonObject;
}

/** A table in one object stands alone: where other lines follow, each is a row, whatever lists it holds. */
async function* lineObjects(file: SourceFile): AsyncGenerator<Located> {
  let alone: Located | undefined;
  let count = 0;
  for await (const { line, text } of textLines(file)) {
    if (text.trim() === '') continue;
    const at = `${file.shown}:${line}`;
    const located = { at, object: parseLine(text, at) };
    if (count++ === 0 && holdsNoTexts(located.object)) {
      alone = located;
      continue;
    }
    if (alone !== undefined) yield alone;
    alone = undefined;
    yield located;
  }
  if (alone !== undefined) throw dataErrors.otherDocument(file.shown, Object.keys(alone.object));
}

const isSentence = (value: unknown): boolean => typeof value === 'string' && /\S\s+\S/.test(value);

/** What rows hold, too: several classes of one text. */
const isPlainList = (value: unknown): boolean => Array.isArray(value) && !value.some(isNested);

/** A table within one object, by columns or behind a key: lists and objects instead of texts. */
const holdsNoTexts = (object: JsonObject): boolean => {
  const values = Object.values(object);
  const hasText = values.some((value) => typeof value === 'string');
  const nested = values.filter((value) => isNested(value) && !(hasText && isPlainList(value)));
  return nested.length > 0 && 2 * nested.length >= values.length && !values.some(isSentence);
};

/** A document is parsed as a whole, which takes several times its size. */
const LONGEST_DOCUMENT = 2 ** 27;

/** Where the parser stopped, as a line. */
const brokenAt = (text: string, message: string): number => {
  const position = /position (\d+)/.exec(message)?.[1];
  return text.slice(0, position === undefined ? text.length : Number(position)).split('\n').length;
};

const parseDocument = (text: string, shown: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw dataErrors.brokenJson(
      `${shown}:${brokenAt(text, message)}`,
      message,
      'expected a list of objects, one a text',
    );
  }
};

async function* documentObjects(file: SourceFile): AsyncGenerator<Located> {
  const tooLong = () => dataErrors.longDocument(file.shown, LONGEST_DOCUMENT);
  const document = parseDocument(await wholeText(file, LONGEST_DOCUMENT, tooLong), file.shown);
  if (!Array.isArray(document))
    throw dataErrors.otherDocument(file.shown, isRecord(document) ? Object.keys(document) : []);
  for (const [i, object] of document.entries()) {
    const at = `${file.shown}, item ${i + 1}`;
    if (!isRecord(object))
      throw dataErrors.brokenJson(at, `it is ${kindOfValue(object)}`, 'expected an object, one a text');
    yield { at, object };
  }
}

type Layout = 'lines' | 'document';

/** One JSON document, or an object a line: by the first line that says something. */
const layoutOf = async (file: SourceFile): Promise<Layout> => {
  for await (const { text } of textLines(file)) {
    if (text.trim() !== '') return isWhole(text) ? 'lines' : 'document';
  }
  return 'lines';
};

/** A line that is an object by itself: a list, or a line that only opens something, begins a document. */
const isWhole = (line: string): boolean => !/^\s*(?:\[|\{\s*$)/.test(line);

/** Every object with its place, whatever keys it has. */
export async function* jsonObjects(file: SourceFile): AsyncGenerator<Located> {
  yield* (await layoutOf(file)) === 'lines' ? lineObjects(file) : documentObjects(file);
}

/** Rows by which columns are told: writers leave a key out where a row has no value for it. */
const SAMPLE_ROWS = 200;

/** How many of the first rows have each key, in the order in which they come. */
const keyCounts = (rows: readonly Located[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { object } of rows) for (const key of Object.keys(object)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};

/** The first rows, then each of the others by itself. */
async function* inSamples(file: SourceFile): AsyncGenerator<readonly Located[]> {
  let first: Located[] | undefined = [];
  for await (const one of jsonObjects(file)) {
    if (first === undefined) yield [one];
    else if (first.push(one) === SAMPLE_ROWS) {
      yield first;
      first = undefined;
    }
  }
  if (first !== undefined && first.length > 0) yield first;
}

export async function* jsonValues(file: SourceFile, columns: readonly string[]): AsyncGenerator<Values> {
  let counts: ReadonlyMap<string, number> | undefined;
  for await (const rows of inSamples(file)) {
    counts ??= keyCounts(rows);
    for (const { at, object } of rows) {
      const names = Object.keys(object);
      // A key that no other row has may be the column under a wrong name: then the column lacks, not its value.
      const isUsual = names.every((name) => (counts?.get(name) ?? 0) > 1);
      const lacking = (name: string) => (isUsual && counts?.has(name) === true ? null : undefined);
      yield { at, names, values: columns.map((name) => (Object.hasOwn(object, name) ? object[name] : lacking(name))) };
    }
  }
}

export const jsonColumns = async (file: SourceFile): Promise<readonly string[] | undefined> => {
  for await (const rows of inSamples(file)) return [...keyCounts(rows).keys()];
  return undefined;
};
