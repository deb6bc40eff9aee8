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
  evaluation: 'validation',
  test: 'test',
  testing: 'test',
  tst: 'test',
  holdout: 'test',
  heldout: 'test',
  unlabelled: 'unlabelled',
  unlabeled: 'unlabelled',
  unsupervised: 'unlabelled',
};

/** The split that is called so, in whatever case, with marks and numbers: Train, held-out, test_set, dev 1. */
export const splitOf = (value: string): Split | undefined => {
  const letters = value
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}]/gu, '');
  const name = letters.replace(/(?<=.)(?:set|data|split)$/, '');
  return Object.hasOwn(names, name) ? names[name] : undefined;
};

/** The split that a row says it is in. */
export const splitNamed = (value: string, column: string, at: string): Split => {
  const split = splitOf(value);
  if (split === undefined)
    throw dataErrors.foreignSplit(at, column, value, ['train', 'validation', 'test', 'unlabelled']);
  return split;
};

const columnNames =
  /^(?:(?:data|cv|k)[_\- ]?)?(?:splits?|folds?|partitions?)(?:[_\- ]?(?:id|index|idx|no|nr|num|number|name))?$/i;
const flagNames =
  /^(?:is|in|for)[_\- ]?(?:train(?:ing)?|test(?:ing)?|val(?:id(?:ation)?)?|dev|eval|hold[_\- ]?out)(?:[_\- ]?set)?$/i;

/** Columns that part rows, whatever their values: never the classes. */
export const partsRows = (column: string): boolean =>
  [columnNames, flagNames].some((pattern) => pattern.test(column.trim()));

const looseNames =
  /^(?:(?:data|sub|train|test)[_\- ]?)?(?:sets?|subsets?|usage|phase|stage|train[_\- /]?test)$|^(?:train|test|val(?:idation)?|dev|hold[_\- ]?out)$/i;

/** Whether a column says in which split its rows are, training among them: all of its values are names of splits. */
export const isSplitColumn = (column: string, values: ReadonlySet<string>): boolean => {
  const splits = [...values].map(splitOf);
  return splits.includes('train') && !splits.includes(undefined) && (splits.length > 1 || partsRows(column));
};

/** More than there are splits or folds anywhere. */
const MOST_PARTS = 50;

/** Whether a column may say it, by its name or by a part of its values, though not so that it can be used as it is. */
export const seemsSplitColumn = (column: string, values: ReadonlySet<string>): boolean => {
  if (values.size === 0 || values.size > MOST_PARTS) return false;
  const splits = new Set([...values].map(splitOf));
  return partsRows(column) || looseNames.test(column.trim()) || (splits.has('train') && splits.size > 1);
};
