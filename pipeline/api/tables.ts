import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { moduleBeside } from '../../data/process.ts';
import { openThread, type Thread } from '../../data/thread.ts';
import { type Progress, seldom } from '../../ground/progress.ts';
import { requestError } from '../diagnostic.ts';
import { expectFile, recognised } from '../first/recognise.ts';
import { defaultThreads } from '../plan/threads.ts';
import { type Asking, allowed, predictorOf, saidOf } from './ask.ts';
import { type Opened, openModel } from './open.ts';
import type { ReadRows, TableOrder, TableVerbs } from './table-thread.ts';
import type { PredictedTable, TableOptions } from './types/models.ts';

/** A thread that reads and writes a table while the model computes here. */
type TableThread = Thread<TableVerbs>;

interface Answering extends Required<Pick<TableOptions, 'threads' | 'signal'>> {
  emit(progress: Progress): void;
}

async function* chunksBy(thread: TableThread): AsyncGenerator<ReadRows> {
  for (;;) {
    const chunk = await thread.ask('next', undefined);
    if (chunk === undefined) return;
    yield chunk;
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

const checkOut = async ({ out, overwrite }: TableOptions): Promise<void> => {
  if (!/^\.(?:csv|tsv|jsonl)$/.test(extname(out)))
    throw requestError(`${out}: expected a name that ends in .csv, .tsv or .jsonl`);
  const there = await stat(out).catch(() => undefined);
  if (there === undefined || (there.isFile() && overwrite === true)) return;
  throw requestError(`${out} exists; name another file with --out, or add --overwrite`);
};

const answerChunks = async (
  thread: TableThread,
  model: Pick<Asking, 'opened' | 'predictor'>,
  { total, signal, emit }: Pick<Answering, 'signal' | 'emit'> & { readonly total: number },
): Promise<PredictedTable> => {
  const tell = seldom(emit);
  let done = 0;
  let written: Promise<PredictedTable> = Promise.resolve({ rows: 0, unanswered: 0 });
  for await (const chunk of ahead(chunksBy(thread))) {
    const { renew } = await allowed(model.opened, chunk.texts);
    const onProgress = (answered: number): void => {
      renew();
      tell({ done: done + answered, total, unit: 'rows' });
    };
    const { rows, answers } = await saidOf(chunk, model, { signal, onProgress });
    done += chunk.count;
    await written;
    written = thread.ask('write', { rows, answers: { starts: answers.starts } });
    // What it throws is thrown when the next chunk is answered.
    written.catch(() => undefined);
  }
  return await written;
};

/** Answers chunk after chunk: while one is answered, that before it is written and that behind it read. */
const answerAll = async (
  thread: TableThread,
  opened: Opened,
  { threads, signal, emit }: Answering,
): Promise<PredictedTable> => {
  const loading = predictorOf(opened, threads);
  // What it throws is thrown when its turn comes: a table that cannot be read is told first.
  loading.catch(() => undefined);
  try {
    const total = await thread.ask('count', undefined);
    const { predictor } = await loading;
    await thread.ask('open', undefined);
    return await answerChunks(thread, { opened, predictor }, { total, signal, emit });
  } finally {
    await thread.end('close');
    await loading.then(
      ({ predictor }) => predictor.release(),
      () => undefined,
    );
  }
};

/** Writes every row of a table with what a model says of its text, in order, a chunk at a time: as long a table as there is. */
export const predictRows = async (
  path: string,
  options: TableOptions,
  emit: (progress: Progress) => void,
): Promise<PredictedTable> => {
  const { data, out, threads = defaultThreads(), signal = new AbortController().signal } = options;
  await expectFile(data);
  await checkOut(options);
  const { guess, roles } = await recognised({ ...options, label: false });
  const opened = await openModel(path, options);
  const {
    folder,
    model: { info, tokenizer },
  } = opened;
  const { uses, table } = guess;
  const order: TableOrder = {
    ...{ file: { shown: data, path: data }, guess: { uses, table }, roles: { text: roles.text, pair: roles.pair } },
    ...{ out, folder, model: { info, tokenizer } },
  };
  const thread: TableThread = openThread(moduleBeside(import.meta.url, './table-thread'), order, signal);
  return await answerAll(thread, opened, { threads, signal, emit });
};
