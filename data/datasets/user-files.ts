import { resolve } from 'node:path';
import { z } from 'zod';
import { DataError, type DataProblem, dataErrors } from '../errors.ts';
import { assemble, type Candidate, type Split } from './assemble.ts';
import { type Loaded, maxLengthOption, sharedOptions } from './kind.ts';
import type { Columns, Row, RowReader } from './rows.ts';
import type { SourceFile } from './text-blocks.ts';

const share = z
  .string()
  .regex(/^(?:[1-9]\d?|0)(?:\.\d+)?%$/, "expected a share such as '10%'")
  .default('10%');

const fileName = z.string().min(1);

/** Options of the user's own files, whatever their format. */
export const fileOptions = {
  file: fileName.optional().describe('All texts in one file; validation and test are split off by a hash of the text.'),
  train: fileName.optional().describe('Training texts, where the splits are files of their own.'),
  validation: fileName.optional().describe('Validation texts; split off the training texts where absent.'),
  test: fileName.optional().describe('Test texts; split off the training texts where absent.'),
  unlabelled: fileName.optional().describe('More texts without labels, for distillation.'),
  text: z.string().min(1).default('text').describe('Column that holds the text.'),
  label: z.string().min(1).default('label').describe('Column that holds the class.'),
  split: z
    .strictObject({
      validation: share.describe('Share of the texts that choices are made on.'),
      test: share.describe('Share of the texts that only the report reads.'),
    })
    .prefault({})
    .describe(
      'Shares that are split off. A text goes by its hash, so equal texts never cross and a seed changes nothing.',
    ),
  ...sharedOptions,
  maxLength: maxLengthOption(128),
};

export type FileConfig = z.output<z.ZodObject<typeof fileOptions>>;

const rate = (percent: string): number => Number(percent.slice(0, -1)) / 100;

/** Conditions between options, for `check` of a schema. */
export const fileConditions = ({ value, issues }: z.core.ParsePayload<FileConfig>): void => {
  const complain = (key: keyof FileConfig, message: string) =>
    issues.push({ code: 'custom', input: value[key], path: [key], message });
  if (value.file === undefined && value.train === undefined) {
    issues.push({ code: 'custom', input: value, path: [], message: "expected 'file' or 'train': where the texts are" });
  }
  if (value.file !== undefined) {
    for (const key of ['train', 'validation', 'test'] as const) {
      if (value[key] !== undefined) complain(key, `expected either 'file' or '${key}', not both`);
    }
  }
  const { validation, test } = sharesOf(value);
  // In thousandths: 60% and 30% are no more than 90%, whatever their sum in binary is.
  if (Math.round((validation + test) * 1000) >= 900)
    complain('split', 'expected shares that leave more than 10% for training');
};

/** In the order in which equal texts are kept: a test text never trains. */
const roles = [
  ['test', 'test'],
  ['validation', 'validation'],
  ['train', 'train'],
  ['file', undefined],
  ['unlabelled', 'unlabelled'],
] as const;

interface Part {
  readonly key: (typeof roles)[number][0];
  readonly split: Split | undefined;
  readonly file: SourceFile;
  readonly columns: Columns;
}

/** Training texts go by their hash where validation or test have no file of their own. */
const partsOf = (config: FileConfig, base: string): readonly Part[] =>
  roles.flatMap(([key, split]) => {
    const shown = config[key];
    if (shown === undefined) return [];
    const drawn = key === 'train' && (config.validation === undefined || config.test === undefined);
    const { text, label } = config;
    const columns = key === 'unlabelled' ? { text } : { text, label };
    return [{ key, split: drawn ? undefined : split, file: { shown, path: resolve(base, shown) }, columns }];
  });

const sharesOf = ({ validation, test, split }: FileConfig) => ({
  validation: validation === undefined ? rate(split.validation) : 0,
  test: test === undefined ? rate(split.test) : 0,
});

export const fileSources = (config: FileConfig, base: string): readonly string[] =>
  partsOf(config, base).map(({ file }) => file.path);

const columnProblems = (part: Part, found: readonly string[]): readonly DataProblem[] =>
  (['text', 'label'] as const).flatMap((role) => {
    const name = part.columns[role];
    if (name === undefined || found.includes(name)) return [];
    const { code, message } = dataErrors.missingColumn(part.file.shown, name, found);
    return [{ code, path: [role], message }];
  });

const partProblems = async (part: Part, reader: RowReader): Promise<readonly DataProblem[]> => {
  try {
    const found = await reader.columns(part.file);
    if (found === undefined) throw dataErrors.emptyFile(part.file.shown);
    return columnProblems(part, found);
  } catch (error) {
    if (error instanceof DataError) return [{ code: error.code, path: [part.key], message: error.message }];
    throw error;
  }
};

/** Opens every file and reads its first row. */
export const fileProblems = async (
  config: FileConfig,
  base: string,
  reader: RowReader,
): Promise<readonly DataProblem[]> =>
  (await Promise.all(partsOf(config, base).map((part) => partProblems(part, reader)))).flat();

/** Rows of one kind: the line of the first, and how many. */
interface Tally {
  count: number;
  line: number;
}

const tallied = (tally: Tally, { line }: Row): void => {
  if (tally.count === 0) tally.line = line;
  tally.count++;
};

interface LocatedCandidate extends Candidate {
  readonly at: string;
}

const readPart = async (part: Part, reader: RowReader): Promise<readonly LocatedCandidate[]> => {
  const { file, split, columns } = part;
  const candidates: LocatedCandidate[] = [];
  const emptyTexts: Tally = { count: 0, line: 0 };
  const emptyLabels: Tally = { count: 0, line: 0 };
  for await (const row of reader.rows(file, columns)) {
    const text = row.text.trim();
    const label = row.label?.trim();
    if (text === '') tallied(emptyTexts, row);
    if (label === '') tallied(emptyLabels, row);
    candidates.push({
      text,
      at: `${file.shown}:${row.line}`,
      ...(label === undefined ? {} : { label }),
      ...(split === undefined ? {} : { split }),
    });
  }
  if (candidates.length === 0) throw dataErrors.emptyFile(file.shown);
  if (emptyTexts.count > 0) throw dataErrors.emptyText(`${file.shown}:${emptyTexts.line}`, emptyTexts.count);
  if (emptyLabels.count > 0) throw dataErrors.emptyLabel(`${file.shown}:${emptyLabels.line}`, emptyLabels.count);
  return candidates;
};

/** Labels that only validation or test know cannot be learned: most often a typing error or the wrong file. */
const checkLabels = (candidates: readonly LocatedCandidate[]): void => {
  const held = (split: Split | undefined): boolean => split === 'test' || split === 'validation';
  const trained = new Set<string>();
  for (const { split, label } of candidates) if (!held(split) && label !== undefined) trained.add(label);
  for (const { split, label, at } of candidates) {
    if (held(split) && label !== undefined && !trained.has(label)) {
      throw dataErrors.foreignLabel(at, label, [...trained].sort());
    }
  }
};

/** Reads the user's files into splits; throws a DataError at the first file and line that is wrong. */
export const loadFiles = async (config: FileConfig, base: string, reader: RowReader): Promise<Loaded> => {
  const candidates: LocatedCandidate[] = [];
  for (const part of partsOf(config, base)) {
    for (const candidate of await readPart(part, reader)) candidates.push(candidate);
  }
  checkLabels(candidates);
  const { labelled, limit, maxLength } = config;
  const source = config.file ?? config.train ?? '';
  return assemble(candidates, { labelled, limit, maxLength, shares: sharesOf(config), source });
};
