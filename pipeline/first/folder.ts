import { folderReader } from '../../data/datasets/folder-reader.ts';
import type { DataGuess } from '../../data/datasets/sniff.ts';
import { isSplitColumn, splitOf } from '../../data/datasets/split-column.ts';
import { dataTask } from '../../ground/tasks.ts';
import { isFolder } from '../../ground/whole-file.ts';
import { requestError } from '../diagnostic.ts';
import { inline } from '../yaml/values.ts';
import { expectFile } from './recognise.ts';
import type { Roles } from './roles.ts';

/** What files hold, or folders of text files. */
export interface Guess extends Omit<DataGuess, 'uses'> {
  readonly uses: DataGuess['uses'] | 'folder';
}

/** Whether all that somebody named are folders of text files. Throws where one is neither that nor a file, or of the other kind. */
export const areFolders = async ([first = '', ...more]: readonly string[]): Promise<boolean> => {
  const folders = await isFolder(first);
  if (!folders) await expectFile(first);
  for (const path of more) {
    if (!folders) await expectFile(path);
    else if (!(await isFolder(path)))
      throw requestError(`${path}: expected a folder of .txt files, as ${first} is one`);
  }
  return folders;
};

/** What a folder holds, by the names in it: texts whose classes these are, whose splits, or texts alone. */
export const folderGuess = async (folder: string): Promise<Guess> => {
  const names = (await folderReader.classes?.({ shown: folder, path: folder }, 'label')) ?? [];
  const columns = names.length === 0 ? ['text'] : ['text', 'label'];
  const inside = { columns, text: 'text', pair: undefined, label: columns[1], split: undefined };
  return { uses: 'folder', table: {}, ...inside, classes: names, rows: 0 };
};

const isOfSplits = ({ classes }: Guess): boolean => isSplitColumn('', new Set(classes));

/** Lines of the YAML that say where the texts of folders are. */
export const folderLines = ([first = '', ...more]: readonly string[], { task }: Roles, guess: Guess): string => {
  const lines =
    task === undefined
      ? []
      : [
          `task: ${`${task} `.padEnd(21)} # no classes${dataTask(task).truth === 'text' ? ': hidden words are guessed' : ''}`,
        ];
  if (more.length === 0 && isOfSplits(guess)) {
    return [...guess.classes.map((name) => `${splitOf(name)}: ${inline(`${first}/${name}`)}`), ...lines].join('\n  ');
  }
  const paths = more.length === 0 ? inline(first) : `[${[first, ...more].map(inline).join(', ')}]`;
  const classes = task === undefined ? `a folder a class, ${guess.classes.length} of them` : 'texts at any depth';
  return [`folder: ${paths}                # .txt files: ${classes}`, ...lines].join('\n  ');
};

/** What the file that is written takes from folders. */
export const folderWords = (guess: Guess, { label }: Roles): string => {
  const where = isOfSplits(guess) ? ', splits from the folders above them' : '';
  return `texts from .txt files, ${label === undefined ? 'no classes' : `classes from their folders${where}`}`;
};
