import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { isUserError } from '../../ground/errors.ts';
import { type DataProblem, dataError, dataErrors } from '../errors.ts';
import { namesIn, targetKindOf } from '../targets/index.ts';
import type { Split } from './assemble.ts';
import { type FileConfig, type fileOptions, sharesOf, targetOptions } from './file-options.ts';
import { readerByName } from './formats.ts';
import { ignoredSplits } from './ignored-splits.ts';
import { type AnyDataset, type DatasetKind, defineDataset, type Loaded, type Look, type Whole } from './kind.ts';
import { missingRemarks } from './missing.ts';
import { FIRST_ROWS, type LocatedCandidate, type Part, partProblems, type ReadPart, readPart } from './parts.ts';
import type { Columns, RowReader } from './rows.ts';

/** In the order in which equal texts are kept: a test text never trains. */
const roles = [
  ['test', 'test'],
  ['validation', 'validation'],
  ['train', 'train'],
  ['file', undefined],
  ['unlabelled', 'unlabelled'],
] as const;

const columnsOf = (config: FileConfig, key: string): Columns => {
  const { text, splitColumn } = config;
  const texts = typeof text === 'string' ? { text } : { text: text[0], pair: text[1] };
  const { table: target, about } = targetKindOf(config.task);
  const words = target?.words === true || about === 'nothing' ? { words: true } : {};
  if (key === 'unlabelled') return { ...texts, ...words };
  const options = targetOptions(config);
  const names = target?.columns(options) ?? [];
  return {
    ...texts,
    ...words,
    ...(target === undefined || names.length === 0
      ? {}
      : { target: { names, read: (...row) => target.read(...row, options) } }),
    ...(splitColumn === undefined ? {} : { split: splitColumn }),
  };
};

/** Texts without labels may be in a file of another format, in which columns are called otherwise or not at all. */
const unlabelledColumns = (config: FileConfig, own: RowReader, other: RowReader): Columns => {
  const columns = columnsOf(config, 'unlabelled');
  if (own === other || own.texts === other.texts) return columns;
  return { ...columns, text: other.texts ?? 'text' };
};

/** Training texts go by their hash where validation or test have no file of their own. */
const partsOf = (config: FileConfig, base: string, reader: RowReader): readonly Part[] =>
  roles.flatMap(([key, split]) => {
    const shown = config[key];
    if (shown === undefined) return [];
    const read = key === 'unlabelled' ? (readerByName(shown) ?? reader) : reader;
    const drawn = key === 'train' && (config.validation === undefined || config.test === undefined);
    return [
      {
        key,
        split: drawn ? undefined : split,
        file: { shown, path: resolve(base, shown) },
        columns: key === 'unlabelled' ? unlabelledColumns(config, reader, read) : columnsOf(config, key),
        reader: read,
        missing: config,
      },
    ];
  });

const withTarget = (candidate: LocatedCandidate, target: readonly string[] | undefined): LocatedCandidate =>
  target === undefined ? candidate : { ...candidate, target };

/** Candidates with their names as they are used: what they mean may show in all texts together alone. */
const settled = (
  { task, scheme }: FileConfig,
  candidates: readonly LocatedCandidate[],
): readonly LocatedCandidate[] => {
  const { settle } = targetKindOf(task);
  if (settle === undefined) return candidates;
  const named = candidates.filter(({ target }) => typeof target === 'object');
  const texts = named.map(({ target, wordAt }) => ({ tags: namesIn(target), at: wordAt }));
  const tags = settle(texts, scheme);
  const own = new Map(named.map((candidate, i) => [candidate, tags[i]]));
  return candidates.map((candidate) => withTarget(candidate, own.get(candidate)));
};

/** Labels that only validation or test know cannot be learned: most often a typing error or the wrong file. */
const checkLabels = ({ task }: FileConfig, candidates: readonly LocatedCandidate[]): void => {
  const held = (split: Split | undefined): boolean => split === 'test' || split === 'validation';
  const trained = new Set<string>();
  for (const { split, target } of candidates) if (!held(split)) for (const name of namesIn(target)) trained.add(name);
  for (const name of targetKindOf(task).complete?.([...trained]) ?? []) trained.add(name);
  for (const { split, target, at } of candidates) {
    const foreign = held(split) ? namesIn(target).find((name) => !trained.has(name)) : undefined;
    if (foreign !== undefined) throw dataErrors.foreignLabel(at, foreign, [...trained].sort());
  }
};

/** Class names that the options name, or that the training file declares, if its labels are numbers of them. */
const declaredClasses = async (
  config: FileConfig,
  parts: readonly Part[],
  candidates: readonly LocatedCandidate[],
): Promise<readonly string[] | undefined> => {
  const named = targetKindOf(config.task).table?.classes?.(targetOptions(config));
  if (named !== undefined) return named;
  const part = parts.find(({ key }) => key === 'train' || key === 'file');
  const [label, another] = part?.columns.target?.names ?? [];
  if (part === undefined || label === undefined || another !== undefined) return undefined;
  const names = await part.reader.classes?.(part.file, label);
  const known = new Set(names);
  return candidates.every(({ target }) => namesIn(target).every((name) => known.has(name))) ? names : undefined;
};

/** Shares to split off, and the texts: those of a column's training split give up texts where another one has none. */
const placed = (config: FileConfig, candidates: readonly LocatedCandidate[]) => {
  const { validation, test } = sharesOf(config);
  if (config.splitColumn === undefined) return { candidates, shares: { validation, test } };
  const has = (split: Split) => candidates.some((candidate) => candidate.split === split);
  const shares = { validation: has('validation') ? 0 : validation, test: has('test') ? 0 : test };
  const drawn = shares.validation + shares.test > 0;
  // A text of the test split never trains: of equal ones the first counts.
  const ordered = (['test', 'validation', 'train', 'unlabelled'] as const).flatMap((split) =>
    candidates.filter((candidate) => candidate.split === split),
  );
  const open = ({ split, ...candidate }: LocatedCandidate): LocatedCandidate =>
    split === undefined || split === 'train' ? candidate : { ...candidate, split };
  return { candidates: drawn ? ordered.map(open) : ordered, shares };
};

/** What to know of columns that part the rows of the one file, where no option says what does. */
const unusedSplits = async ({ splitColumn }: FileConfig, parts: readonly Part[]): Promise<readonly string[]> => {
  const part = parts.find(({ key }) => key === 'file');
  return part === undefined || splitColumn !== undefined ? [] : ignoredSplits(part);
};

const loadParts = async (config: FileConfig, parts: readonly Part[]): Promise<Loaded> => {
  const read: LocatedCandidate[] = [];
  let dropped = 0;
  for (const part of parts) {
    const { candidates, dropped: left } = await readPart(part);
    for (const candidate of candidates) read.push(candidate);
    dropped += left;
  }
  const { candidates, shares } = placed(config, settled(config, read));
  checkLabels(config, candidates);
  const classes = await declaredClasses(config, parts, candidates);
  const { task, labelled, limit, maxLength } = config;
  const source = config.file ?? config.train ?? '';
  const options = { task, labelled, limit, maxLength, shares, source, byClass: true };
  const { assemble } = await import('./assemble.ts');
  const loaded = assemble(candidates, classes === undefined ? options : { ...options, classes });
  const { classes: named } = loaded.dataset;
  const remarks = [...loaded.remarks, ...missingRemarks(named, config), ...(await unusedSplits(config, parts))];
  return { ...loaded, dropped, remarks };
};

/** The labelled texts of what `file` names, whole: what is wrong with columns is told first. */
const wholeFile = async (parts: readonly Part[]): Promise<Whole> => {
  const [problem] = (await Promise.all(parts.map(partProblems))).flat();
  if (problem !== undefined) throw dataError(problem.code, problem.message);
  const read: ReadPart[] = [];
  for (const part of parts) read.push(await readPart(part));
  return {
    texts: read.flatMap(({ candidates }) => candidates),
    dropped: read.reduce((sum, { dropped }) => sum + dropped, 0),
  };
};

/** Classes among the first rows of the labelled texts, or those that the options or their file declare. */
const firstClasses = async (config: FileConfig, parts: readonly Part[]): Promise<readonly string[]> => {
  const classes = new Set(targetKindOf(config.task).table?.classes?.(targetOptions(config)));
  for (const part of parts) {
    const [label] = part.columns.target?.names ?? [];
    if (label === undefined) continue;
    const declared = await part.reader.classes?.(part.file, label);
    for (const name of declared ?? []) classes.add(name);
    for (const { target } of settled(config, (await readPart(part, FIRST_ROWS)).candidates)) {
      for (const name of namesIn(target)) classes.add(name);
    }
  }
  return [...classes].sort();
};

/** Files that are read as a whole before anything runs, for they take no time. */
const SMALL_BYTES = 2 ** 20;

const areSmall = async (parts: readonly Part[]): Promise<boolean> => {
  const sizes = await Promise.all(parts.map(async ({ file }) => (await stat(file.path)).size));
  return sizes.reduce((sum, size) => sum + size, 0) <= SMALL_BYTES;
};

/** What is wrong with the files: each by itself, and of small ones all that a run would find. */
const problemsOf = async (config: FileConfig, parts: readonly Part[]): Promise<readonly DataProblem[]> => {
  const alone = (await Promise.all(parts.map(partProblems))).flat();
  if (alone.length > 0 || !(await areSmall(parts))) return alone;
  try {
    await loadParts(config, parts);
    return [];
  } catch (error) {
    if (!isUserError(error, 'data')) throw error;
    return [{ code: error.code, path: [config.file === undefined ? 'train' : 'file'], message: error.message }];
  }
};

const look = async (config: FileConfig, parts: readonly Part[]): Promise<Look> => {
  if (await areSmall(parts)) {
    const { dataset, remarks } = await loadParts(config, parts);
    return { classes: dataset.classes, whole: true, remarks };
  }
  const classes = await firstClasses(config, parts);
  const { nameRemarks } = await import('./remarks.ts');
  const remarks = [...nameRemarks(classes), ...missingRemarks(classes, config), ...(await unusedSplits(config, parts))];
  return { classes, whole: false, remarks };
};

interface FileKind<S extends z.ZodObject<typeof fileOptions>> extends Pick<DatasetKind<S>, 'uses' | 'summary'> {
  readonly config: S;
  readonly reader: (config: z.output<S>) => RowReader;
}

/** A dataset of the user's own files in one format: texts and labels by column. */
export const defineFileDataset = <S extends z.ZodObject<typeof fileOptions>>(kind: FileKind<S>): AnyDataset => {
  const parts = (config: z.output<S>, base: string) => partsOf(config, base, kind.reader(config));
  return defineDataset({
    uses: kind.uses,
    summary: kind.summary,
    config: kind.config,
    task: ({ task }) => task,
    sources: (config, base) => parts(config, base).map(({ file }) => file.path),
    check: (config, base) => problemsOf(config, parts(config, base)),
    look: (config, base) => look(config, parts(config, base)),
    load: (config, base) => loadParts(config, parts(config, base)),
    whole: (config, base) => wholeFile(parts(config, base).filter(({ key }) => key === 'file')),
  });
};
