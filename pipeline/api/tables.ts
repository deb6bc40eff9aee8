import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { SourceFile } from '../../data/datasets/bytes.ts';
import { settledReader } from '../../data/datasets/formats.ts';
import type { DataGuess } from '../../data/datasets/sniff.ts';
import type { Task } from '../../engine/tasks/index.ts';
import { messageOf, systemCode } from '../../ground/errors.ts';
import { type Progress, seldom } from '../../ground/progress.ts';
import { modelTask } from '../../ground/tasks.ts';
import { requestError } from '../diagnostic.ts';
import { expectFile, recognised } from '../first/recognise.ts';
import type { Roles } from '../first/roles.ts';
import { defaultThreads } from '../plan/threads.ts';
import { type Asking, allowed, answersTo, predictorOf, readBy } from './ask.ts';
import { type Opened, openModel } from './open.ts';
import { type Cells, cellsOf, type RowWriter, rowWriter } from './table-writer.ts';
import type { Given } from './types/answers.ts';
import type { PredictedTable, TableOptions } from './types/models.ts';

interface Answering extends TableOptions {
  readonly threads: number;
  readonly signal: AbortSignal;
  emit(progress: Progress): void;
}

/** One row of a table, all of it. */
interface Row {
  readonly at: string;
  readonly names: readonly string[];
  readonly values: readonly unknown[];
}

/** Rows that are read, answered and written together: enough to fill batches of equally long texts. */
const CHUNK = 1024;

async function* rowsOf(file: SourceFile, { uses, table }: DataGuess): AsyncGenerator<Row> {
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

async function* chunksOf(rows: AsyncIterable<Row>): AsyncGenerator<readonly Row[]> {
  let chunk: Row[] = [];
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** Rows in all, so that it can be said how long the others take: reading is quick beside answering. */
const countOf = async (file: SourceFile, guess: DataGuess, { text }: Roles, signal: AbortSignal): Promise<number> => {
  let count = 0;
  for await (const _ of settledReader(guess.uses, guess.table).values(file, [text])) {
    if (count++ % CHUNK === 0) signal.throwIfAborted();
  }
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
const givenBy = (row: Row, { text, pair }: Roles): Given | undefined => {
  const one = textAt(row, text);
  if (one === '') return undefined;
  if (pair === undefined) return { text: one };
  const other = textAt(row, pair);
  return other === '' ? undefined : { text: one, pair: other };
};

/** Rows with what is asked of each, as the model reads it. */
interface Chunk {
  readonly rows: readonly Row[];
  readonly asked: readonly (Given | undefined)[];
  readonly read: Awaited<ReturnType<typeof readBy>> | undefined;
}

/** What a chunk may take is told together with the one before it, which is still being answered. */
async function* readChunks(
  asking: Asking,
  rows: AsyncIterable<Row>,
  roles: Roles,
  allow: (given: readonly Given[]) => Promise<void>,
): AsyncGenerator<Chunk> {
  let before: readonly Given[] = [];
  for await (const chunk of chunksOf(rows)) {
    const asked = chunk.map((row) => givenBy(row, roles));
    const given = asked.filter((one) => one !== undefined);
    await allow([...before, ...given]);
    yield { rows: chunk, asked, read: given.length === 0 ? undefined : await readBy(asking, given) };
    before = given;
  }
}

/** The same items, each fetched while its predecessor is worked on. */
async function* ahead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = items.next();
  try {
    for (let item = await next; item.done !== true; item = await next) {
      next = items.next();
      // What it throws is thrown when its turn comes.
      next.catch(() => undefined);
      yield item.value;
    }
  } finally {
    await items.return(undefined);
  }
}

const written = async (stream: WriteStream, text: string): Promise<void> => {
  if (!stream.write(text)) await once(stream, 'drain');
};

const checkOut = async ({ out, overwrite }: TableOptions): Promise<void> => {
  if (!/^\.(?:csv|tsv|jsonl)$/.test(extname(out)))
    throw requestError(`${out}: expected a name that ends in .csv, .tsv or .jsonl`);
  const there = await stat(out).catch(() => undefined);
  if (there === undefined || (there.isFile() && overwrite === true)) return;
  throw requestError(`${out} exists; name another file with --out, or add --overwrite`);
};

const opening = async (out: string): Promise<WriteStream> => {
  const stream = createWriteStream(out);
  await once(stream, 'open').catch((error: unknown) => {
    if (systemCode(error) === '') throw error;
    throw requestError(`${out} cannot be written: ${messageOf(error)}; name another file with --out`);
  });
  return stream;
};

const closing = async (stream: WriteStream): Promise<void> => {
  stream.end();
  await once(stream, 'close');
};

const choosesText = ({ name }: Task): boolean => {
  const { about, answer } = modelTask(name);
  return about === 'text' && answer === 'choice';
};

/** What has come of a table so far. */
interface Answers {
  rows: number;
  unanswered: number;
  first?: string;
}

/** A chunk with its answers as it is written, in one piece: a write a row takes longer than its answer. */
const linesOf = (
  { rows, asked }: Chunk,
  answers: readonly Cells[],
  line: (row: Row, cells: Cells | undefined) => string,
  into: Answers,
): string => {
  const lines: string[] = [];
  let answer = 0;
  for (const [i, row] of rows.entries()) {
    const cells = asked[i] === undefined ? undefined : answers[answer++];
    if (cells === undefined) {
      into.first ??= row.at;
      into.unanswered++;
    }
    lines.push(line(row, cells));
  }
  into.rows += rows.length;
  return lines.join('');
};

const answerAll = async (
  opened: Opened,
  file: SourceFile,
  guess: DataGuess,
  roles: Roles,
  { out, threads, signal, emit }: Answering,
): Promise<PredictedTable> => {
  const total = await countOf(file, guess, roles, signal);
  const asking = { opened, ...(await predictorOf(opened, threads)) };
  const stream = await opening(out);
  const answers: Answers = { rows: 0, unanswered: 0 };
  const tell = seldom(emit);
  let renew = (): void => undefined;
  const allow = async (given: readonly Given[]): Promise<void> => {
    ({ renew } = await allowed(opened, given));
  };
  const onProgress = (done: number): void => {
    renew();
    tell({ done: answers.rows + done, total, unit: 'rows' });
  };
  let writer: RowWriter | undefined;
  const line = (row: Row, cells: Cells | undefined): string => {
    writer ??= rowWriter(out, row.names, choosesText(asking.task));
    return writer(row, cells);
  };
  try {
    for await (const chunk of ahead(readChunks(asking, rowsOf(file, guess), roles, allow))) {
      const { read } = chunk;
      const said = read === undefined ? [] : await answersTo(read, asking, { top: 1, signal, onProgress });
      await written(stream, linesOf(chunk, said.map(cellsOf), line, answers));
    }
  } finally {
    await closing(stream);
    await asking.predictor.release();
  }
  return answers;
};

/** Writes every row of a table with what a model says of its text, in order, a chunk at a time: as long a table as there is. */
export const predictRows = async (
  path: string,
  options: TableOptions,
  emit: (progress: Progress) => void,
): Promise<PredictedTable> => {
  const { data, threads = defaultThreads(), signal = new AbortController().signal } = options;
  await expectFile(data);
  await checkOut(options);
  const { guess, roles } = await recognised({ ...options, label: false });
  const opened = await openModel(path, options);
  return await answerAll(opened, { shown: data, path: data }, guess, roles, { ...options, threads, signal, emit });
};
