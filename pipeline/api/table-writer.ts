import { extname } from 'node:path';
import { requestError } from '../diagnostic.ts';
import type { Answer } from './types/answers.ts';

/** What is said of one row: by the names of the columns that it is written in. */
export type Cells = Readonly<Record<string, unknown>>;

/** Writes a row with its answer as one line; nothing in its place where there is none. */
export type RowWriter = (
  row: { readonly at: string; readonly names: readonly string[]; readonly values: readonly unknown[] },
  answer: Cells | undefined,
) => string;

const PREDICTION = 'prediction';
const PROBABILITY = 'probability';

/** One value a row of what is said of a text: its class with the probability, its classes, number, tags, tokens or vector. */
export const cellsOf = (answer: Answer): Cells => {
  if ('label' in answer) return { [PREDICTION]: answer.label, [PROBABILITY]: answer.probability };
  if ('entities' in answer) return { [PREDICTION]: answer.entities };
  if ('words' in answer) return { [PREDICTION]: answer.words.map(({ label }) => label) };
  if ('masks' in answer) return { [PREDICTION]: answer.masks.map(({ tokens }) => tokens[0]?.token) };
  if ('labels' in answer) return { [PREDICTION]: answer.labels };
  return { [PREDICTION]: 'vector' in answer ? answer.vector : answer.score };
};

const plainBigints = (_: string, value: unknown): unknown => {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
};

const json = (value: unknown): string => JSON.stringify(value, plainBigints) ?? '';

/** Lists of names with semicolons between them, as `separator` reads them; anything else that is no single value as JSON. */
const cellText = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' && !one.includes(';')))
    return value.join(';');
  return typeof value === 'object' ? json(value).replace(/^"(.*)"$/, '$1') : String(value);
};

/** RFC 4180. */
const quoted = (text: string, delimiter: string): string =>
  text.includes(delimiter) || /["\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;

const expectFree = (names: readonly string[], at: string): void => {
  const taken = names.find((name) => name === PREDICTION || name === PROBABILITY);
  if (taken !== undefined) throw requestError(`${at}: there is a column "${taken}" already; give it another name`);
};

const jsonWriter: RowWriter = ({ at, names, values }, answer) => {
  expectFree(names, at);
  const row = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  return `${json({ ...row, [PREDICTION]: null, ...answer })}\n`;
};

const tableWriter = (delimiter: string, header: readonly string[], choice: boolean): RowWriter => {
  const line = (cells: readonly string[]): string =>
    `${cells.map((cell) => quoted(cell, delimiter)).join(delimiter)}\n`;
  const added = choice ? [PREDICTION, PROBABILITY] : [PREDICTION];
  let begun = false;
  return ({ at, names, values }, answer = {}) => {
    const foreign = names.find((name) => !header.includes(name));
    if (foreign !== undefined)
      throw requestError(`${at}: has "${foreign}", which the first row lacks; write JSON Lines (--out FILE.jsonl)`);
    const cells = [...header.map((name) => values[names.indexOf(name)]), ...added.map((name) => answer[name])];
    const first = begun ? '' : line([...header, ...added]);
    begun = true;
    return first + line(cells.map(cellText));
  };
};

/** How rows are written into a file of that name; a choice of one class has a probability beside it. */
export const rowWriter = (out: string, header: readonly string[], choice: boolean): RowWriter => {
  if (extname(out) === '.jsonl') return jsonWriter;
  expectFree(header, out);
  return tableWriter(extname(out) === '.tsv' ? '\t' : ',', header, choice);
};
