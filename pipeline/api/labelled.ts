import { basename, dirname, resolve } from 'node:path';
import type { Dataset, Example } from '../../data/dataset.ts';
import type { DataGuess } from '../../data/datasets/sniff.ts';
import { nameHint } from '../../data/errors.ts';
import { indexed } from '../../data/targets/index.ts';
import { isUserError } from '../../ground/errors.ts';
import { type DatasetTask, type DataTask, dataTask, readsTexts } from '../../ground/tasks.ts';
import type { ModelInfo } from '../../models/model.ts';
import { requestError } from '../diagnostic.ts';
import { expectFile, recognised } from '../first/recognise.ts';
import type { Roles } from '../first/roles.ts';
import type { DataOptions } from './types/models.ts';

/** The texts of a file, and what was left out. */
export interface Labelled {
  readonly task: DatasetTask;
  readonly texts: readonly (Omit<Example, 'target'> & { readonly at: string; readonly target?: Named })[];
  readonly dropped: number;
}

type Named = Parameters<typeof indexed>[0];

/** What a column of labels is read as depends on what the models are for. */
const labelOptions = (truth: DataTask['truth'], roles: Roles, guess: DataGuess): object => {
  const { label = '', sets } = roles;
  switch (truth) {
    case 'label':
    case 'tags':
    case 'entities':
      return { label };
    case 'labels':
      if (sets === undefined) return { label };
      return {
        label: sets.columns.length > 1 ? sets.columns : label,
        ...(sets.separator === undefined ? {} : { separator: sets.separator }),
      };
    case 'number':
      return { label, ...(guess.decimalComma === true && label === guess.label ? { decimal: ',' } : {}) };
    case 'text':
    case 'pair':
    case 'teacher':
      return {};
  }
};

const configOf = (task: DatasetTask, options: DataOptions, roles: Roles, guess: DataGuess): object => {
  const { text, pair } = roles;
  return {
    ...{ uses: guess.uses, file: basename(options.data), task },
    text: pair === undefined ? text : [text, pair],
    ...labelOptions(dataTask(task).truth, roles, guess),
    ...guess.table,
    ...(options.missing === 'drop' ? { missing: 'drop' } : {}),
  };
};

/** What is judged by: for tasks that need it, a column of labels. */
const columnsIn = async (task: DatasetTask, options: DataOptions) => {
  const { truth } = dataTask(task);
  const unlabelled = truth === 'text' || truth === 'pair' || truth === 'teacher';
  const found = await recognised({ ...options, label: unlabelled ? false : options.label });
  if (!unlabelled && found.roles.label === undefined) {
    throw requestError(`${options.data}: which column is the label? there is none to judge by; name it with --label`);
  }
  return found;
};

const tableOf = async (task: DatasetTask, options: DataOptions): Promise<object> => {
  await expectFile(options.data);
  const { guess, roles } = await columnsIn(task, options);
  return configOf(task, options, roles, guess);
};

/** Images lie in a folder with one folder a class. */
const folderOf = (task: DatasetTask, { data }: DataOptions): object => ({
  ...{ uses: 'folder', folder: basename(resolve(data)), task },
});

/** Reads all texts of a file, or images of a folder, as a task needs them. */
export const readLabelled = async (task: DatasetTask, options: DataOptions): Promise<Labelled> => {
  const { dataSchema, whole } = await import('../../data/datasets/index.ts');
  const config = dataSchema.safeParse(readsTexts(task) ? await tableOf(task, options) : folderOf(task, options));
  if (!config.success) {
    throw requestError(`${options.data}: cannot be read for ${task}: ${config.error.issues[0]?.message}`);
  }
  const { texts, dropped } = await whole(config.data, dirname(resolve(options.data))).catch((error: unknown) => {
    if (!isUserError(error, 'data')) throw error;
    const advice = /^empty-(?:text|label)$/.test(error.code) ? '; --missing drop leaves such rows out' : '';
    throw requestError(`${error.message}${advice}`);
  });
  return { task, texts: texts.map((one, id) => ({ ...one, id })), dropped };
};

/** The texts as the test split of a dataset whose classes are a model's. */
export const datasetFor = (
  { task, texts }: Labelled,
  { labels, maxLength: longest }: Pick<ModelInfo, 'labels' | 'maxLength'>,
  maxLength = longest,
): Dataset => {
  const numbers = new Map(labels.map((label, i) => [label, i]));
  const test = texts.map(({ at, target, ...text }): Example => {
    if (target === undefined) return text;
    return { ...text, target: indexed(target, (name) => numbers.get(name) ?? foreign(at, name, labels)) };
  });
  return { task, classes: labels, maxLength, train: [], unlabelled: [], validation: [], test };
};

const foreign = (at: string, name: string, labels: readonly string[]): never => {
  throw requestError(`${at}: '${name}' is no class of the model${nameHint(name, labels)}`);
};
