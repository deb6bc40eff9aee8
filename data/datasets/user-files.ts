import { stat } from 'node:fs/promises';
import type { z } from 'zod';
import { type DataProblem, dataError } from '../errors.ts';
import { namesIn, targetKindOf } from '../targets/index.ts';
import type { SourceFile } from './bytes.ts';
import { type FileConfig, type fileOptions, targetOptions } from './file-options.ts';
import { readerByName } from './formats.ts';
import { ignoredSplits } from './ignored-splits.ts';
import { type AnyDataset, type DatasetKind, defineDataset, type Loaded, type Look, type Whole } from './kind.ts';
import { missingRemarks } from './missing.ts';
import { checkLabels, placed } from './own-splits.ts';
import {
  FIRST_ROWS,
  type LocatedCandidate,
  type Part,
  problemsBy,
  problemsOfParts,
  readPart,
  readParts,
} from './parts.ts';
import type { Columns, RowReader } from './rows.ts';
import { settled } from './settled.ts';
import { filesOf, shownNames } from './source-files.ts';
import { expectTogether, twiceRead } from './together.ts';

/** In the order in which equal texts are kept: a test text never trains. */
const roles = [
  ['test', 'test'],
  ['validation', 'validation'],
  ['train', 'train'],
  ['file', undefined],
  ['unlabelled', 'unlabelled'],
] as const;

const columnsOf = (config: FileConfig, key: string): Columns => {
  const { text, splitColumn, splitByTime, groupBy } = config;
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
    ...(groupBy === undefined ? {} : { group: groupBy }),
    ...(splitByTime === undefined ? {} : { time: splitByTime }),
  };
};

/** Texts without labels may be in a file of another format, in which columns are called otherwise or not at all. */
const otherColumns = (config: FileConfig, own: RowReader, other: RowReader): Columns => {
  const columns = columnsOf(config, 'unlabelled');
  if (own === other || own.texts === other.texts) return columns;
  return { ...columns, text: other.texts ?? 'text' };
};

/** And they may be of no group. */
const unlabelledColumns = async ({ config, reader }: Given, other: RowReader, file: SourceFile): Promise<Columns> => {
  const { groupBy } = config;
  const columns = otherColumns(config, reader, other);
  const has = groupBy !== undefined && (await other.columns(file))?.includes(groupBy) === true;
  return has ? { ...columns, group: groupBy } : columns;
};

/** What a pipeline says of its files, where it stands, and how they are read. */
export interface Given {
  readonly config: FileConfig;
  readonly base: string;
  readonly reader: RowReader;
}

/** Training texts go by their hash where validation or test have no file of their own. */
const isDrawn = (key: string, { validation, test }: FileConfig): boolean =>
  key === 'train' && (validation === undefined || test === undefined);

const partsFor = async (
  [key, split]: (typeof roles)[number],
  { config, base, reader }: Given,
): Promise<readonly Part[]> => {
  const names = config[key];
  if (names === undefined) return [];
  const parts: Part[] = [];
  for (const file of await filesOf(names, base)) {
    const own = key === 'unlabelled' ? (readerByName(file.shown) ?? reader) : reader;
    const columns =
      key === 'unlabelled' ? await unlabelledColumns({ config, base, reader }, own, file) : columnsOf(config, key);
    parts.push({
      ...{ key, file, columns, missing: config, reader: own },
      split: isDrawn(key, config) ? undefined : split,
    });
  }
  return parts;
};

/** The files that there are, and what is wrong with the names of others. */
const named = async (given: Given) => {
  const parts: Part[] = [];
  const problems: DataProblem[] = [];
  for (const role of roles) {
    const add = async () => void parts.push(...(await partsFor(role, given)));
    problems.push(...(await problemsBy([role[0]], add)));
  }
  return { parts, problems: [...problems, ...(await twiceRead(parts))] };
};

const partsOf = async (given: Given): Promise<readonly Part[]> => {
  const { parts, problems } = await named(given);
  const [first] = problems;
  if (first !== undefined) throw dataError(first.code, first.message);
  return parts;
};

/** Class names that the options name, or that the training file declares, if its labels are numbers of them. */
const declaredClasses = async (
  config: FileConfig,
  parts: readonly Part[],
  candidates: readonly LocatedCandidate[],
): Promise<readonly string[] | undefined> => {
  const named = targetKindOf(config.task).table?.classes?.(targetOptions(config));
  if (named !== undefined) return named;
  const own = parts.filter(({ key }) => key === 'train' || key === 'file');
  const [label, another] = own[0]?.columns.target?.names ?? [];
  if (label === undefined || another !== undefined) return undefined;
  const declared = await Promise.all(own.map(({ reader, file }) => reader.classes?.(file, label)));
  const names = declared.find((list) => list !== undefined);
  const known = new Set(names);
  return candidates.every(({ target }) => namesIn(target).every((name) => known.has(name))) ? names : undefined;
};

/** What to know of sources that their rows do not say. */
const sourceRemarks = async (parts: readonly Part[]): Promise<readonly string[]> => {
  const remarks: string[] = [];
  for (const { file, reader } of parts) remarks.push(...((await reader.remarks?.(file)) ?? []));
  return remarks;
};

/** What to know of columns that part the rows of the one file, where no option says what does. */
const unusedSplits = async (
  { splitColumn, splitByTime }: FileConfig,
  parts: readonly Part[],
): Promise<readonly string[]> => {
  if (splitColumn !== undefined || splitByTime !== undefined) return [];
  const remarks = new Set<string>();
  for (const part of parts.filter(({ key }) => key === 'file')) {
    for (const remark of await ignoredSplits(part)) remarks.add(remark);
  }
  return [...remarks];
};

const aboutSources = async (config: FileConfig, parts: readonly Part[]): Promise<readonly string[]> => [
  ...(await unusedSplits(config, parts)),
  ...(await sourceRemarks(parts)),
];

const loadParts = async (config: FileConfig, parts: readonly Part[]): Promise<Loaded> => {
  await expectTogether(parts);
  const { candidates: read, dropped } = await readParts(parts);
  const { candidates, shares } = placed(config, settled(config, read));
  checkLabels(config, candidates);
  const classes = await declaredClasses(config, parts, candidates);
  const { task, labelled, limit, maxLength } = config;
  const source = shownNames(config.file ?? config.train ?? '');
  const { dedupe = false } = config;
  const options = {
    dedupe,
    task,
    labelled,
    limit,
    maxLength,
    shares,
    source,
    by: config.splitByTime === undefined ? ('class' as const) : ('time' as const),
  };
  const { assemble } = await import('./assemble.ts');
  const loaded = assemble(candidates, classes === undefined ? options : { ...options, classes });
  const { classes: named } = loaded.dataset;
  const remarks = [...loaded.remarks, ...missingRemarks(named, config), ...(await aboutSources(config, parts))];
  return { ...loaded, dropped, remarks };
};

/** The labelled texts of what `file` names, whole: what is wrong with columns is told first. */
const wholeFiles = async (given: Given): Promise<Whole> => {
  const parts = (await partsOf(given)).filter(({ key }) => key === 'file');
  const [problem] = await problemsOfParts(parts);
  if (problem !== undefined) throw dataError(problem.code, problem.message);
  const { candidates, dropped } = await readParts(parts);
  return { texts: settled(given.config, candidates), dropped };
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

const bytesOf = async ({ file, reader }: Part): Promise<number> =>
  (await reader.bytes?.(file)) ?? (await stat(file.path)).size;

const areSmall = async (parts: readonly Part[]): Promise<boolean> => {
  const sizes = await Promise.all(parts.map(bytesOf));
  return sizes.reduce((sum, size) => sum + size, 0) <= SMALL_BYTES;
};

/** What is wrong with the files: each by itself, then all together, and of small ones all that a run would find. */
const problemsOf = async (given: Given): Promise<readonly DataProblem[]> => {
  const { config } = given;
  const { parts, problems } = await named(given);
  problems.push(...(await problemsOfParts(parts)));
  const path = [config.file === undefined ? 'train' : 'file'];
  const small = problems.length === 0 && (await areSmall(parts));
  const all = () => (small ? loadParts(config, parts) : expectTogether(parts));
  return problems.length > 0 ? problems : problemsBy(path, all);
};

const look = async (given: Given): Promise<Look> => {
  const { config } = given;
  const parts = await partsOf(given);
  if (await areSmall(parts)) {
    const { dataset, remarks } = await loadParts(config, parts);
    return { classes: dataset.classes, whole: true, remarks };
  }
  const classes = await firstClasses(config, parts);
  const { nameRemarks } = await import('./remarks.ts');
  const remarks = [...nameRemarks(classes), ...missingRemarks(classes, config), ...(await aboutSources(config, parts))];
  return { classes, whole: false, remarks };
};

interface FileKind<S extends z.ZodObject<typeof fileOptions>> extends Pick<DatasetKind<S>, 'uses' | 'summary'> {
  readonly config: S;
  readonly reader: (config: z.output<S>) => RowReader;
}

/** What a dataset does that is made from files of the user's own. */
export const ownFiles = (given: Given) => ({
  sources: async () => (await partsOf(given)).map(({ file }) => file.path),
  check: () => problemsOf(given),
  look: () => look(given),
  load: async () => loadParts(given.config, await partsOf(given)),
  whole: () => wholeFiles(given),
});

/** A dataset of the user's own files in one format: texts and labels by column. */
export const defineFileDataset = <S extends z.ZodObject<typeof fileOptions>>(kind: FileKind<S>): AnyDataset => {
  const files = (config: z.output<S>, base: string) => ownFiles({ config, base, reader: kind.reader(config) });
  return defineDataset({
    uses: kind.uses,
    summary: kind.summary,
    config: kind.config,
    task: ({ task }) => task,
    sources: (config, base) => files(config, base).sources(),
    check: (config, base) => files(config, base).check(),
    look: (config, base) => files(config, base).look(),
    load: (config, base) => files(config, base).load(),
    whole: (config, base) => files(config, base).whole(),
  });
};
