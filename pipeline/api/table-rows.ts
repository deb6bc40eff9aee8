import type { SourceFile } from '../../data/datasets/bytes.ts';
import { settledReader } from '../../data/datasets/formats.ts';
import type { DataGuess } from '../../data/datasets/sniff.ts';
import { requestError } from '../diagnostic.ts';
import type { Roles } from '../first/roles.ts';
import type { Given } from './types/answers.ts';

/** A table, how it is read, and which of its columns ask. */
export interface Table {
  readonly file: SourceFile;
  readonly guess: Pick<DataGuess, 'uses' | 'table'>;
  readonly roles: Pick<Roles, 'text' | 'pair'>;
}

/** One row of a table, all of it. */
export interface Row {
  readonly at: string;
  readonly names: readonly string[];
  readonly values: readonly unknown[];
}

/** Rows that are read, answered and written together: enough to fill batches of equally long texts. */
const CHUNK = 1024;

async function* rowsOf({ file, guess: { uses, table } }: Table): AsyncGenerator<Row> {
  if (uses === 'jsonl') {
    const { jsonObjects } = await import('../../data/datasets/jsonl-rows.ts');
    for await (const { at, object } of jsonObjects(file))
      yield { at, names: Object.keys(object), values: Object.values(object) };
    return;
  }
  const reader = settledReader(uses, table);
  const names = (await reader.columns(file)) ?? [];
  for await (const { at, values } of reader.values(file, names)) yield { at, names, values };
}

export async function* chunksOf(table: Table): AsyncGenerator<readonly Row[]> {
  let chunk: Row[] = [];
  for await (const row of rowsOf(table)) {
    chunk.push(row);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** Rows in all, so that it can be said how long the others take: reading is quick beside answering. */
export const countOf = async ({ file, guess, roles: { text } }: Table): Promise<number> => {
  let count = 0;
  for await (const _ of settledReader(guess.uses, guess.table).values(file, [text])) count++;
  return count;
};

const textAt = ({ at, names, values }: Row, column: string): string => {
  const value = values[names.indexOf(column)];
  if (typeof value === 'string') return value.trim();
  if (value === null || value === undefined) return '';
  throw requestError(
    `${at}: the column "${column}" holds ${Array.isArray(value) ? 'a list' : `a ${typeof value}`}; expected a text`,
  );
};

/** What a row asks; nothing where it has no text. */
export const givenBy = (row: Row, { text, pair }: Table['roles']): Given | undefined => {
  const one = textAt(row, text);
  if (one === '') return undefined;
  if (pair === undefined) return { text: one };
  const other = textAt(row, pair);
  return other === '' ? undefined : { text: one, pair: other };
};
