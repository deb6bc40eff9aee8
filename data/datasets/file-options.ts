import { z } from 'zod';
import { type DatasetTask, dataTask, usualTask } from '../../ground/tasks.ts';
import { schemes, type TargetOptions, tableTasks, targetKindOf } from '../targets/index.ts';
import { maxLengthOption, sharedOptions } from './kind.ts';
import { missingOptions } from './missing.ts';
import { fileNames } from './source-files.ts';

const share = z
  .string()
  .regex(/^(?:[1-9]\d?|0)(?:\.\d+)?%$/, "expected a share such as '10%'")
  .default('10%');

/** A column by its name; one without a name has a number, which YAML takes for a text in quotes alone. */
export const columnOption = z.string("expected the name of a column; a number in quotes: '2'").min(1);

/** Shares of the texts that go elsewhere than to training. */
export const splitOption = z
  .strictObject({
    validation: share.describe('Share of the texts that choices are made on.'),
    test: share.describe('Share of the texts that only the report reads.'),
  })
  .prefault({})
  .describe(
    'Shares that are split off, of every class. A text goes by its hash, a pair by that of its first text, so equal texts never cross and a seed changes nothing.',
  );

export const dedupeOption = z
  .boolean()
  .optional()
  .describe(
    'Which texts are the same. false, or left out: those that are equal to the letter; of these the first counts, those of the test and the validation split before all others, so that none is in two splits. Texts that differ in case, spaces or Unicode form alone stay, and the report says how many of them cross splits. true: these are the same, too. Near-duplicates are not looked for.',
  );

/** Options of the user's own files, whatever their format. */
export const fileOptions = {
  file: fileNames
    .optional()
    .describe(
      "All texts: a file, a pattern such as data/*.csv, or a list of both, where '!data/old.csv' leaves something out of a pattern. Validation and test are split off by a hash of the text.",
    ),
  train: fileNames.optional().describe('Training texts, where the splits are files of their own; one or several.'),
  validation: fileNames.optional().describe('Validation texts; split off the training texts where absent.'),
  test: fileNames.optional().describe('Test texts; split off the training texts where absent.'),
  text: z
    .union([columnOption, z.tuple([columnOption, columnOption])], {
      error: "expected a column, or a list of the two columns of a pair; numbers in quotes: '2'",
    })
    .default('text')
    .describe(
      'Column that holds the text. A list of two: pairs of texts, such as [premise, hypothesis], or a text and its answer.',
    ),
  label: z
    .union([columnOption, z.array(columnOption).min(2)], {
      error: "expected a column, or a list of columns with 0 or 1 for one class each; numbers in quotes: '2'",
    })
    .default('label')
    .describe(
      'Column that holds the class, or for several classes a text a list of them. Not read for tasks that need texts alone. A list of columns: each says with 0 or 1 whether a text has the class that it is called by.',
    ),
  separator: z
    .string()
    .min(1)
    .optional()
    .describe(
      'What stands between the classes of a text in its column, where they are no list: semicolon in `sport;travel`. A text without any has an empty cell there.',
    ),
  decimal: z.enum(['.', ',']).default('.').describe('What stands before the decimals of a number: comma in 3,5.'),
  task: z
    .enum(tableTasks)
    .default(usualTask)
    .describe(
      "What the texts are for. features: no classes are read, a student copies a teacher's vectors; fill-mask: none either, hidden words are guessed; text2text: none, the second text of each pair is the answer to the first.",
    ),
  names: z
    .array(z.string().min(1))
    .min(2)
    .optional()
    .describe(
      'Classes in the order of their numbers, from 0, where the column has numbers: [O, B-PER, I-PER] for the tags 0, 1 and 2. Only for tags of words.',
    ),
  scheme: z
    .enum(schemes)
    .optional()
    .describe(
      'How tags say where entities are, only with task: named-entities. Left out, the scheme that all texts of the data fit; whatever it is, models learn IOB2.',
    ),
  split: splitOption,
  splitColumn: columnOption
    .optional()
    .describe(
      "Column that says which split a row is in: train, validation (or dev), test, unlabelled. Only with 'file'. A split that no row names is split off the training texts.",
    ),
  groupBy: columnOption
    .optional()
    .describe(
      'Column of what texts belong to, as a customer or a document: no group is in two splits. A group goes by the hash of its name; where splits are files or a column, a group in two of them is an error. A file of unlabelled texts may lack the column.',
    ),
  splitByTime: columnOption
    .optional()
    .describe(
      "Column with the time of each text: the newest are tested, those before them validate, in the shares of 'split'; texts of one time stay together. Only with 'file'. Of equal texts the newest counts.",
    ),
  dedupe: dedupeOption,
  ...missingOptions,
  ...sharedOptions,
  unlabelled: fileNames
    .optional()
    .describe(
      'More texts without labels, for distillation, in equally named columns; one file or several. The ending of each tells its format, which may be another than that of the labelled texts.',
    ),
  maxLength: maxLengthOption(128),
};

export type FileConfig = Omit<z.output<z.ZodObject<typeof fileOptions>>, 'task'> & { readonly task: DatasetTask };

/** Where the targets of a table are. */
export const targetOptions = ({
  label,
  separator,
  decimal,
  names,
}: Pick<FileConfig, 'label' | 'separator' | 'decimal' | 'names'>): TargetOptions => {
  const labels = [label].flat();
  return { label: labels[0] ?? '', labels, separator, decimal, names };
};

/** What is said of several targets a text where there is one, and twice where there are several. */
const severalProblem = ({ task, label, separator }: FileConfig): readonly [keyof FileConfig, string] | undefined => {
  const several = targetKindOf(task).table?.several === true;
  if (!several && separator !== undefined) return ['separator', `expected no 'separator' with task: ${task}`];
  if (typeof label === 'string') return undefined;
  if (!several) return ['label', `expected one column with task: ${task}, which has one answer a text`];
  if (separator !== undefined) return ['separator', "expected no 'separator' where each class has a column of its own"];
  return new Set(label).size < label.length ? ['label', 'expected each column once'] : undefined;
};

const rate = (percent: string): number => Number(percent.slice(0, -1)) / 100;

/** Shares of the training texts that go to splits without a file of their own. */
export const sharesOf = ({ validation, test, split }: FileConfig) => ({
  validation: validation === undefined ? rate(split.validation) : 0,
  test: test === undefined ? rate(split.test) : 0,
});

/** Why labels cannot be few of a task that has none. */
export const noLabels = (task: DatasetTask): string => `expected no 'labelled' with task: ${task}, which has no labels`;

/** What is said of groups and times that cannot be. */
const placementProblems = (
  value: FileConfig,
  labels: readonly string[],
): readonly (readonly [keyof FileConfig, string])[] => {
  const taken = [value.text, ...labels].flat();
  const same = (['groupBy', 'splitByTime'] as const).filter((key) => taken.includes(value[key] ?? ''));
  const problems = same.map((key) => [key, 'expected another column than those of the text and the class'] as const);
  if (value.splitByTime === undefined) return problems;
  return [
    ...problems,
    ...(value.splitColumn === undefined
      ? []
      : [['splitByTime', "expected either 'splitColumn' or 'splitByTime', not both"] as const]),
    ...(value.file !== undefined
      ? []
      : [['splitByTime', "expected no 'splitByTime' where the splits are files of their own"] as const]),
  ];
};

/** What is said of one text where there are two, and of two where there is one. */
const columnsProblem = ({ task, text }: FileConfig): string | undefined => {
  const isSingle = typeof text === 'string';
  if (!isSingle && targetKindOf(task).table?.words === true)
    return `expected one column with task: ${task}, which answers about the words of single texts`;
  return isSingle && dataTask(task).truth === 'pair'
    ? `expected two columns with task: ${task}, such as [question, answer]: the second text answers the first`
    : undefined;
};

/** Conditions between options, for `check` of a schema; `whole` is the key of texts that are split. */
export const fileConditions = ({ value, issues }: z.core.ParsePayload<FileConfig>, whole = 'file'): void => {
  const complain = (key: keyof FileConfig, message: string) =>
    issues.push({ code: 'custom', input: value[key], path: [key], message });
  const labels = targetKindOf(value.task).table?.columns(targetOptions(value)) ?? [];
  const several = severalProblem(value);
  if (value.decimal !== '.' && targetKindOf(value.task).table?.numbers !== true)
    complain('decimal', `expected no 'decimal' with task: ${value.task}, which reads no numbers`);
  const columns = columnsProblem(value);
  if (columns !== undefined) complain('text', columns);
  if (value.names !== undefined && targetKindOf(value.task).table?.words !== true)
    complain('names', `expected no 'names' with task: ${value.task}, whose classes are not tags of words`);
  if (value.scheme !== undefined && targetKindOf(value.task).settle === undefined)
    complain('scheme', `expected no 'scheme' with task: ${value.task}, whose classes mark no entities`);
  if (several !== undefined) complain(...several);
  if (value.file === undefined && value.train === undefined) {
    issues.push({
      code: 'custom',
      input: value,
      path: [],
      message: `expected '${whole}' or 'train': where the texts are`,
    });
  }
  if (value.file !== undefined) {
    for (const key of ['train', 'validation', 'test'] as const) {
      if (value[key] !== undefined) complain(key, `expected either '${whole}' or '${key}', not both`);
    }
  }
  if (value.splitColumn !== undefined && value.file === undefined) {
    complain('splitColumn', "expected no 'splitColumn' where the splits are files of their own");
  }
  if (value.splitColumn !== undefined && [value.text, ...labels].flat().includes(value.splitColumn)) {
    complain('splitColumn', 'expected another column than those of the text and the class');
  }
  for (const problem of placementProblems(value, labels)) complain(...problem);
  if (labels.length === 0 && value.labelled !== undefined) {
    complain('labelled', noLabels(value.task));
  }
  const both = labels.find((label) => [value.text].flat().includes(label));
  if (both !== undefined) {
    complain('label', `expected another column than those of the text: the class would be read from '${both}' itself`);
  }
  const { validation, test } = sharesOf(value);
  // In thousandths: 60% and 30% are no more than 90%, whatever their sum in binary is.
  if (Math.round((validation + test) * 1000) >= 900)
    complain('split', 'expected shares that leave more than 10% for training');
};
