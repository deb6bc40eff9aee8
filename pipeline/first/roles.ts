import type { DataGuess } from '../../data/datasets/sniff.ts';
import type { SetsGuess } from '../../data/datasets/sniff-sets.ts';
import type { WordsGuess } from '../../data/datasets/sniff-words.ts';
import { listed } from '../../ground/names.ts';
import { type DatasetTask, taskWith } from '../../ground/tasks.ts';
import { requestError } from '../diagnostic.ts';
import { nameHints } from '../yaml/suggest.ts';
import type { Columns } from './options.ts';
import { wordsFor } from './words.ts';

/** Which columns hold what. Without a label, texts are for a task that needs none. */
export interface Roles {
  readonly task: DatasetTask | undefined;
  readonly text: string;
  readonly pair: string | undefined;
  readonly label: string | undefined;
  /** Several classes a text: columns, and what stands between them in one. */
  readonly sets?: SetsGuess;
  /** Whether the label is one number a text. */
  readonly isNumber?: boolean;
  /** What is known of each word. */
  readonly words?: WordsGuess;
}

const known = (column: string, { columns }: Pick<DataGuess, 'columns'>, file: string): string => {
  if (columns.includes(column)) return column;
  const hints = nameHints(column, columns, 'columns').join('; ');
  throw requestError(`${file}: there is no column "${column}" (${hints})`);
};

/** The sets in the column that is named, or those that were guessed. */
const setsFor = (
  named: string | false | undefined,
  { label, sets = [] }: Pick<DataGuess, 'label' | 'sets'>,
): Pick<Roles, 'sets'> => {
  const own = typeof named === 'string' && named !== label;
  const guess = sets.find(({ columns }) => (own ? columns.length === 1 && columns[0] === named : columns[0] === label));
  const single = typeof named === 'string' && (guess?.columns.length ?? 0) > 1;
  return guess === undefined || single ? {} : { sets: guess };
};

/** The columns that options name, or those that look the part. */
export const rolesOf = (options: Columns, guess: Omit<DataGuess, 'uses'>): Roles => {
  const {
    data: [file = ''],
    ...given
  } = options;
  const ofWords = wordsFor(options, guess);
  if (ofWords !== undefined) return ofWords;
  const text = given.text ?? guess.text;
  if (text === undefined) throw requestError(`${file}: which column is the text? there is no column`);
  // A pair is guessed as a whole: with one of its texts named, the other is not known.
  const pair = given.pair ?? (given.text === undefined ? guess.pair : undefined);
  const texts = { text: known(text, guess, file), pair: pair === undefined ? undefined : known(pair, guess, file) };
  if (given.task !== undefined && typeof given.label === 'string') {
    throw requestError(`${file}: --task ${given.task} reads no classes; leave --label out, or --task`);
  }
  const label = given.task === undefined ? (given.label ?? guess.label) : false;
  const onlyTexts = guess.columns.every((column) => [text, pair, guess.split].includes(column));
  if (label === false || (label === undefined && onlyTexts)) {
    return { ...texts, task: given.task ?? taskWith('text', 'vector'), label: undefined };
  }
  if (label !== undefined) {
    const sets = setsFor(given.label, guess);
    const isNumber = sets.sets === undefined && guess.numbers?.includes(label) === true;
    return { ...texts, task: undefined, label: known(label, guess, file), ...sets, isNumber };
  }
  throw requestError(
    `${file}: which column is the label? no column repeats a few values; name it with --label ` +
      `(columns: ${listed(guess.columns)}), or write --no-label where texts have no classes`,
  );
};
