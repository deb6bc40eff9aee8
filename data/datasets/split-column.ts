import { dataErrors } from '../errors.ts';
import type { Split } from './assemble.ts';

/** What splits are called in published tables. */
const names: Readonly<Record<string, Split>> = {
  train: 'train',
  training: 'train',
  trn: 'train',
  validation: 'validation',
  valid: 'validation',
  val: 'validation',
  dev: 'validation',
  development: 'validation',
  eval: 'validation',
  test: 'test',
  testing: 'test',
  tst: 'test',
  unlabelled: 'unlabelled',
  unlabeled: 'unlabelled',
  unsupervised: 'unlabelled',
};

const splitOf = (value: string): Split | undefined => {
  const name = value.trim().toLowerCase();
  return Object.hasOwn(names, name) ? names[name] : undefined;
};

/** The split that a row says it is in. */
export const splitNamed = (value: string, column: string, at: string): Split => {
  const split = splitOf(value);
  if (split === undefined)
    throw dataErrors.foreignSplit(at, column, value, ['train', 'validation', 'test', 'unlabelled']);
  return split;
};

const columnNames = /^(?:data_?)?(?:splits?|folds?|partitions?)$/i;

/** Columns that part rows, whatever their values: never the classes. */
export const partsRows = (column: string): boolean => columnNames.test(column.trim());

/** Whether a column says in which split its rows are, training among them. */
export const isSplitColumn = (column: string, values: ReadonlySet<string>): boolean => {
  const splits = [...values].map(splitOf);
  return partsRows(column) && splits.includes('train') && !splits.includes(undefined);
};
