import { type FileHandle, open } from 'node:fs/promises';
import { tokenizerOf } from '../../data/tokenize.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { Task } from '../../engine/tasks/task.ts';
import { messageOf, systemCode } from '../../ground/errors.ts';
import { modelTask } from '../../ground/tasks.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { requestError } from '../diagnostic.ts';
import { answersOf, type Said } from './answers.ts';
import { type Read, readBy } from './ask.ts';
import { chunksOf, countOf, givenBy, type Row, type Table } from './table-rows.ts';
import { type Cells, cellsOf, type RowWriter, rowWriter } from './table-writer.ts';
import type { Answer, Given } from './types/answers.ts';
import type { PredictedTable } from './types/models.ts';

/** What has to be known of a table, of what is written in its place, and of the model that answers. */
export interface TableOrder extends Table {
  readonly out: string;
  readonly folder: string;
  readonly model: Pick<Model, 'info' | 'tokenizer'>;
}

/** Rows with what is asked of each. */
interface Chunk {
  readonly rows: readonly Row[];
  readonly asked: readonly (Given | undefined)[];
  readonly given: readonly Given[];
}

/** Rows as the model takes them: as many texts as ask something. */
interface ReadRows extends Read {
  readonly count: number;
}

const choosesText = ({ name }: Task): boolean => {
  const { about, answer } = modelTask(name);
  return about === 'text' && answer === 'choice';
};

const opening = (out: string): Promise<FileHandle> =>
  open(out, 'w').catch((error: unknown) => {
    if (systemCode(error) === '') throw error;
    throw requestError(`${out} cannot be written: ${messageOf(error)}; name another file with --out`);
  });

/** Writes chunks with their answers, each in one piece, and counts what becomes of them. */
const chunkWriter = (out: string, isChoice: boolean) => {
  let [rows, unanswered]: [number, number] = [0, 0];
  let first: string | undefined;
  let line: RowWriter | undefined;
  const lineOf = (row: Row, cells: Cells | undefined): string => {
    if (cells === undefined) {
      first ??= row.at;
      unanswered++;
    }
    line ??= rowWriter(out, row.names, isChoice);
    return line(row, cells);
  };
  return {
    linesOf: (chunk: Chunk, answers: readonly Answer[]): string => {
      const cells = answers.map(cellsOf);
      let answered = 0;
      rows += chunk.rows.length;
      return chunk.rows
        .map((row, i) => lineOf(row, chunk.asked[i] === undefined ? undefined : cells[answered++]))
        .join('');
    },
    written: (): PredictedTable => ({ rows, unanswered, ...(first === undefined ? {} : { first }) }),
  };
};

/** Chunks as the model takes them, one ahead of what is asked for; each is put with those that wait for answers. */
const chunkReader = ({ folder, model, ...table }: TableOrder, task: Task, unanswered: Chunk[]) => {
  const reading = { folder, task, model: { ...model, encoder: tokenizerOf(tokenizerIn(model)) } };
  const chunks = chunksOf(table);
  const read = async (): Promise<ReadRows | undefined> => {
    const { done, value: rows } = await chunks.next();
    if (done === true) return undefined;
    const asked = rows.map((row) => givenBy(row, table.roles));
    const given = asked.filter((one) => one !== undefined);
    unanswered.push({ rows, asked, given });
    return { count: rows.length, ...(await readBy(reading, given)) };
  };
  const start = (): Promise<ReadRows | undefined> => {
    const chunk = read();
    // What it throws is thrown when its turn comes.
    chunk.catch(() => undefined);
    return chunk;
  };
  let coming = start();
  return async (): Promise<ReadRows | undefined> => {
    const chunk = await coming;
    if (chunk !== undefined) coming = start();
    return chunk;
  };
};

/** Writes chunks in the order in which they were read. */
const answerWriter = ({ out, model }: TableOrder, task: Task, unanswered: Chunk[]) => {
  const { info } = model;
  const labels = task.names?.(model) ?? info.labels;
  const writer = chunkWriter(out, choosesText(task));
  return async (file: FileHandle, predicted: Said): Promise<PredictedTable> => {
    const chunk = unanswered.shift();
    if (chunk === undefined) throw new Error('more answers than chunks');
    const answers = answersOf({ task, info, labels, texts: chunk.given, predicted, top: 1 });
    await file.appendFile(writer.linesOf(chunk, answers));
    return writer.written();
  };
};

const tableOf = (order: TableOrder) => {
  const task = taskOf(order.model.info.task);
  const unanswered: Chunk[] = [];
  return { next: chunkReader(order, task, unanswered), write: answerWriter(order, task, unanswered) };
};

/** What is done with a table while its model computes elsewhere. */
export const tableDesk = () => {
  let table: ReturnType<typeof tableOf> | undefined;
  let file: FileHandle | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  const begun = <T>(one: T | undefined): T => {
    if (one === undefined) throw new Error('the table was not begun');
    return one;
  };
  return {
    count: countOf,
    /** Begins to read. */
    begin: async (order: TableOrder) => {
      table = tableOf(order);
    },
    next: () => begun(table).next(),
    create: async (out: string) => {
      file = await opening(out);
    },
    write: (predicted: Said) => {
      const written = begun(table).write(begun(file), predicted);
      writing = written.catch(() => undefined);
      return written;
    },
    /** Nothing stays behind that is half written. */
    close: async () => {
      await writing;
      await file?.close();
    },
  };
};

export type TableDesk = ReturnType<typeof tableDesk>;
