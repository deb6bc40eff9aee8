import type { DataGuess } from '../../data/datasets/sniff.ts';
import type { WordsGuess } from '../../data/datasets/sniff-words.ts';
import { type DatasetTask, taskLearning } from '../../ground/tasks.ts';
import { requestError } from '../diagnostic.ts';
import { inline } from '../yaml/values.ts';
import type { Columns } from './options.ts';

/** Columns of words and of what is known of each. */
export interface WordRoles {
  readonly task: DatasetTask;
  readonly text: string;
  readonly pair: undefined;
  readonly label: string;
  readonly words: WordsGuess;
}

/** Words and what is known of them, in the columns that options name or in those that look the part. */
export const wordsFor = (
  { data: [file = ''], ...given }: Columns,
  { words = [] }: Pick<DataGuess, 'words'>,
): WordRoles | undefined => {
  if (given.task !== undefined || given.label === false || given.pair !== undefined) return undefined;
  const found = words.find(({ text, label }) => (given.text ?? text) === text && (given.label ?? label) === label);
  if (found === undefined) return undefined;
  const { text, label, areNumbers } = found;
  if (areNumbers) {
    throw requestError(
      `${file}: the column "${label}" has numbers for tags, and nothing says what they stand for; write a pipeline file with names: [O, B-PER, I-PER, ...] under data, in their order from 0 (see named entities in the guide)`,
    );
  }
  const truth = found.marks === 'classes' ? 'tags' : 'entities';
  return { task: taskLearning(truth), text, pair: undefined, label, words: found };
};

export const wordsLines = ({ task, label, words }: WordRoles): string => {
  const what = words?.marks === 'classes' ? 'a class of each word' : 'who and what texts speak of';
  const where = words?.marks === 'spans' ? 'of the spans: [{start, end, label}]' : 'of the tags, one a word';
  return `task: ${task}          # ${what}
  label: ${inline(label)}               # column ${where}`;
};
