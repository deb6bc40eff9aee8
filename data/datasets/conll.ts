import { z } from 'zod';
import { textTasks } from '../../ground/tasks.ts';
import { targetKindOf, wordTasks } from '../targets/index.ts';
import { conllReader, LAST_COLUMN, WORD_COLUMN } from './conll-reader.ts';
import { fileConditions, fileOptions } from './file-options.ts';
import { defineFileDataset } from './user-files.ts';

/** Entities are what such files most often hold. */
const usual = wordTasks.find((task) => targetKindOf(task).settle !== undefined);
if (usual === undefined) throw new Error('no task is about entities');

const config = z
  .strictObject({
    uses: z.literal('conll'),
    ...fileOptions,
    text: fileOptions.text
      .unwrap()
      .default(WORD_COLUMN)
      .describe("Field of a line that holds the word, by its number from 1, in quotes: '2'."),
    label: fileOptions.label
      .unwrap()
      .default(LAST_COLUMN)
      .describe("Field of a line that holds the tag, by its number from 1, in quotes, or 'last'."),
    task: fileOptions.task
      .unwrap()
      .default(usual)
      .describe(`What the tags are for: ${wordTasks.join(', or ')}; other tasks take the texts alone.`),
  })
  .check(fileConditions)
  .check(({ value, issues }) => {
    const tasks = [...wordTasks, ...textTasks];
    if (tasks.includes(value.task)) return;
    const message = `expected one of ${tasks.join(', ')}: such files have a tag a word`;
    issues.push({ code: 'custom', input: value.task, path: ['task'], message });
  });

/** The user's own files of tagged words, one a line. */
export const conll = defineFileDataset({
  uses: 'conll',
  summary: 'Your own files with one word a line and its tag behind it, sentences parted by empty lines (CoNLL).',
  config,
  reader: () => conllReader,
});
