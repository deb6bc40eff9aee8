import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { moduleBeside } from '../../data/process.ts';
import { openThread, type Thread } from '../../data/thread.ts';
import { type Progress, seldom } from '../../ground/progress.ts';
import { tokenizerIn } from '../../models/model.ts';
import { requestError } from '../diagnostic.ts';
import { expectFile, recognised } from '../first/recognise.ts';
import { defaultThreads } from '../plan/threads.ts';
import { type Asking, allowed, predictorOf, saidOf } from './ask.ts';
import { openModel } from './open.ts';
import type { TableDesk } from './table-desk.ts';
import type { Table } from './table-rows.ts';
import type { PredictedTable, TableOptions } from './types/models.ts';

/** A thread that reads and writes a table while the model computes here. */
type TableThread = Thread<TableDesk>;

interface Answering extends TableOptions {
  readonly threads: number;
  readonly signal: AbortSignal;
  emit(progress: Progress): void;
}

/** What it throws is thrown when its turn comes. */
const inTurn = <T>(work: Promise<T>): Promise<T> => {
  work.catch(() => undefined);
  return work;
};

const checkOut = async ({ out, overwrite }: TableOptions): Promise<void> => {
  if (!/^\.(?:csv|tsv|jsonl)$/.test(extname(out)))
    throw requestError(`${out}: expected a name that ends in .csv, .tsv or .jsonl`);
  const there = await stat(out).catch(() => undefined);
  if (there === undefined || (there.isFile() && overwrite === true)) return;
  throw requestError(`${out} exists; name another file with --out, or add --overwrite`);
};

/** Answers chunk after chunk: while one is answered, that before it is written and that behind it read. */
const answerChunks = async (
  thread: TableThread,
  model: Pick<Asking, 'opened' | 'predictor'>,
  { total, signal, emit }: Pick<Answering, 'signal' | 'emit'> & { readonly total: number },
): Promise<PredictedTable> => {
  const tell = seldom(emit);
  let done = 0;
  let written: Promise<PredictedTable> = Promise.resolve({ rows: 0, unanswered: 0 });
  const next = () => thread.ask('next', undefined);
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) {
    const { renew } = await allowed(model.opened, chunk.texts);
    const onProgress = (answered: number): void => {
      renew();
      tell({ done: done + answered, total, unit: 'rows' });
    };
    const { rows, answers } = await saidOf(chunk, model, { signal, onProgress });
    done += chunk.count;
    await written;
    written = inTurn(thread.ask('write', { rows, answers: { starts: answers.starts } }));
  }
  return await written;
};

/** Opens the model while the table is counted; a table that cannot be read is told before anything is written. */
const answerTable = async (
  thread: TableThread,
  path: string,
  { threads, signal, emit, ...options }: Answering,
): Promise<PredictedTable> => {
  const { data, out } = options;
  const { guess, roles } = await recognised({ ...options, label: false });
  const { uses, table } = guess;
  const { text, pair } = roles;
  const asked: Table = { file: { shown: data, path: data }, guess: { uses, table }, roles: { text, pair } };
  const counting = inTurn(thread.ask('count', asked));
  const opened = await openModel(path, options);
  const { folder, model } = opened;
  const { info } = model;
  const tokenizer = tokenizerIn(model);
  const begun = inTurn(thread.ask('begin', { ...asked, out, folder, model: { info, tokenizer } }));
  const total = await counting;
  const { predictor } = await predictorOf(opened, threads);
  try {
    await begun;
    await thread.ask('create', out);
    return await answerChunks(thread, { opened, predictor }, { total, signal, emit });
  } finally {
    await thread.finish('close');
    await predictor.release();
  }
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
  const thread: TableThread = openThread(moduleBeside(import.meta.url, './table-thread'), signal);
  try {
    return await answerTable(thread, path, { ...options, threads, signal, emit });
  } finally {
    await thread.end();
  }
};
