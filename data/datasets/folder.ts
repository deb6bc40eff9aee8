import { z } from 'zod';
import { readsTexts, taskWith, textTasks, usualTask } from '../../ground/tasks.ts';
import type { DataProblem } from '../errors.ts';
import { dedupeOption, type FileConfig, fileConditions, fileOptions, splitOption } from './file-options.ts';
import { folderReader, imageFolderReader } from './folder-reader.ts';
import { defineDataset, maxLengthOption, sharedOptions } from './kind.ts';
import { missingOptions } from './missing.ts';
import { fileNames } from './source-files.ts';
import { type Given, ownFiles } from './user-files.ts';

const folders = fileNames.optional();

const imageTask = taskWith('image', 'choice');

const options = z.strictObject({
  uses: z.literal('folder'),
  folder: folders.describe(
    'A folder with one folder a class, in which each .txt file (or .txt.gz) is a text, or each .png or .jpg file an image. Or a list of such folders.',
  ),
  train: folders.describe('The same for training texts alone, where the splits are folders of their own.'),
  validation: folders.describe('The same for validation; split off the training texts where absent.'),
  test: folders.describe('The same for testing; split off the training texts where absent.'),
  task: z
    .enum([usualTask, ...textTasks, imageTask])
    .default(usualTask)
    .describe(
      'What the texts are for. Tasks that need texts alone take them from any depth of the folder. image-classification reads images, all of one size and 8 bits a channel.',
    ),
  split: splitOption,
  dedupe: dedupeOption,
  missing: missingOptions.missing,
  ...sharedOptions,
  unlabelled: folders.describe(
    'More texts without labels, for distillation: a folder of .txt files at any depth, or a file with a column called text.',
  ),
  maxLength: maxLengthOption(128),
});

type Config = z.output<typeof options>;

const everyFile = z.strictObject({ ...fileOptions, task: options.shape.task });

/** The same options as those of files: a folder is a table whose columns are text and label. */
const asFiles = ({ uses: _, folder: file, ...config }: Config): FileConfig => everyFile.parse({ ...config, file });

const renamed = <K extends PropertyKey>(key: K): K | 'folder' => (key === 'file' ? 'folder' : key);

const config = options.check(({ value, issues }) => {
  const files = { value: asFiles(value), issues: [] as z.core.$ZodRawIssue[] };
  fileConditions(files, 'folder');
  for (const issue of files.issues) issues.push({ ...issue, path: (issue.path ?? []).map(renamed) });
});

const given = (own: Config, base: string): Given => ({
  ...{ config: asFiles(own), base },
  reader: readsTexts(own.task) ? folderReader : imageFolderReader,
});

const placed = ({ path: [key = '', ...rest], ...problem }: DataProblem): DataProblem => ({
  ...problem,
  path: [renamed(key), ...rest],
});

/** The user's own texts or images, a folder a class. */
export const folder = defineDataset({
  uses: 'folder',
  summary: 'Your own text files (.txt) or images (.png, .jpg), in one folder a class.',
  config,
  task: ({ task }) => task,
  sources: (own, base) => ownFiles(given(own, base)).sources(),
  check: async (own, base) => (await ownFiles(given(own, base)).check()).map(placed),
  look: (own, base) => ownFiles(given(own, base)).look(),
  load: (own, base) => ownFiles(given(own, base)).load(),
  whole: (own, base) => ownFiles(given(own, base)).whole(),
});
