import { UserError } from '../ground/errors.ts';
import type { Targets } from './answer-targets.ts';
import { columnOf, readHeader, readTable, type Table, writeTable } from './columns.ts';
import { OLD_SCHEMA, readOldChoices } from './predictions-before.ts';
import { type Rows, rowsIn, rowsTable } from './rows.ts';
import { type WrittenColumns, writtenNames } from './written.ts';

/** What a model answered about every text, or every word, of a split. Metrics are pure functions of it. */
export interface Predictions {
  readonly split: 'validation' | 'test';
  /** Ids of texts or words, so that models are compared pair by pair. */
  readonly ids: Int32Array;
  readonly rows: Rows;
  /** What the answers should be; left out where nobody knows but another model. */
  readonly targets?: Targets;
  /** Probability above which each class was said, where answers are sets of them and the model has thresholds of its own. */
  readonly thresholds?: readonly number[];
  /** Text of each word: words of one text are no independent examples. */
  readonly groups?: Int32Array;
  /** UTF-8 bytes of the text, at one answer about it each, where answers are about all of its tokens. */
  readonly bytes?: Int32Array;
  /** How what was written compares with the right answers, where models write them. */
  readonly written?: WrittenColumns;
}

const FILE = 'predictions.json';
const SCHEMA = 'decant.predictions/2';

/** Writes predictions.json with its columns beside it: see data/columns.ts. */
export const writePredictions = (folder: string, predictions: Predictions): Promise<void> => {
  const { split, ids, rows, targets, thresholds, groups, bytes, written } = predictions;
  const { header, columns } = rowsTable(rows);
  return writeTable(folder, FILE, {
    header: {
      ...{ schema: SCHEMA, split, ...header },
      ...(targets === undefined ? {} : { targets: targets.width }),
      ...(thresholds === undefined ? {} : { thresholds: [...thresholds] }),
    },
    columns: {
      ids,
      ...columns,
      ...(targets === undefined ? {} : { targets: targets.data }),
      ...(groups === undefined ? {} : { groups }),
      ...(bytes === undefined ? {} : { bytes }),
      ...written,
    },
  });
};

const targetsIn = ({ header, columns: { targets } }: Table): Targets | undefined =>
  targets instanceof Int32Array || targets instanceof Float32Array
    ? { width: Number(header.targets), data: targets }
    : undefined;

const writtenIn = (table: Table): WrittenColumns => {
  const column = (name: keyof WrittenColumns): Int32Array => columnOf(table, name, 'i32');
  return { written: column('written'), exact: column('exact'), edits: column('edits'), words: column('words') };
};

const expectWhole = ({ ids, rows, targets }: Predictions): void => {
  const sound = rows.data.length === ids.length * rows.columns && rows.unread.length === ids.length;
  if (sound && (targets === undefined || targets.data.length === ids.length * targets.width)) return;
  throw new UserError(`${FILE} has ${ids.length} examples, its answers or targets are of others: a file is damaged`);
};

const fromTable = (table: Table): Predictions => {
  const ids = columnOf(table, 'ids', 'i32');
  const targets = targetsIn(table);
  const { thresholds } = table.header;
  return {
    ...{ split: table.header.split === 'validation' ? 'validation' : 'test', ids, rows: rowsIn(table, ids.length) },
    ...(targets === undefined ? {} : { targets }),
    ...(Array.isArray(thresholds) ? { thresholds: thresholds.map(Number) } : {}),
    ...('groups' in table.columns ? { groups: columnOf(table, 'groups', 'i32') } : {}),
    ...(writtenNames.every((name) => name in table.columns) ? { written: writtenIn(table) } : {}),
    ...('bytes' in table.columns ? { bytes: columnOf(table, 'bytes', 'i32') } : {}),
  };
};

/** Reads what `writePredictions` wrote, or wrote before; `path` maps a file name to where it lies. */
export const readPredictions = async (path: (file: string) => string): Promise<Predictions> => {
  const { schema } = await readHeader(path(FILE));
  const predictions =
    schema === OLD_SCHEMA ? await readOldChoices(path) : fromTable(await readTable(path, FILE, SCHEMA));
  expectWhole(predictions);
  return predictions;
};
