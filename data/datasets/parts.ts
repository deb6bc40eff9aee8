import { isUserError, type UserError } from '../../ground/errors.ts';
import { type DataProblem, dataErrors } from '../errors.ts';
import type { Candidate, Split } from './assemble.ts';
import type { SourceFile } from './bytes.ts';
import { isBlank, type MissingOptions } from './missing.ts';
import { type Columns, type Row, type RowReader, readRows } from './rows.ts';
import { splitNamed } from './split-column.ts';

/** One of the files that a dataset is made from. */
export interface Part {
  /** Key inside `data:` that names the file. */
  readonly key: string;
  readonly split: Split | undefined;
  readonly file: SourceFile;
  readonly columns: Columns;
  readonly reader: RowReader;
  readonly missing: MissingOptions;
}

/** A text with its place, for messages. */
export interface LocatedCandidate extends Candidate {
  readonly at: string;
}

const columnProblem = ({ file: { shown } }: Part, name: string, found: readonly string[]): UserError | undefined => {
  const times = found.filter((column) => column === name).length;
  if (times === 1) return undefined;
  return times === 0 ? dataErrors.missingColumn(shown, name, found) : dataErrors.repeatedColumn(shown, name, found);
};

/** Columns by the key that names them. */
const keysOf = ({ text, pair, target, split }: Columns): readonly (readonly [key: string, name: string])[] => [
  ['text', text],
  ...(pair === undefined ? [] : [['text', pair] as const]),
  ...(target?.names ?? []).map((name) => ['label', name] as const),
  ...(split === undefined ? [] : [['splitColumn', split] as const]),
];

const columnProblems = (part: Part, found: readonly string[]): readonly DataProblem[] => {
  const { reader } = part;
  const wanted = keysOf(part.columns);
  const names = wanted.map(([, name]) => name);
  const nameless = reader.isNameless?.(found, names) === true;
  const problems = wanted.flatMap(([key, name]) => {
    const problem = columnProblem(part, name, found);
    if (problem === undefined) return [];
    const { code, message } = nameless ? dataErrors.orNoHeader(problem) : problem;
    return [{ code, path: [key], message }];
  });
  return nameless ? problems.slice(0, 1) : problems;
};

/** Enough rows to see most mistakes, few enough to read them in no time. */
export const FIRST_ROWS = 2000;

/** What goes wrong with the data in some work, as a problem of a key; none where it ends well. */
export const problemsBy = async (
  path: DataProblem['path'],
  work: () => Promise<unknown>,
): Promise<readonly DataProblem[]> => {
  try {
    await work();
    return [];
  } catch (error) {
    if (isUserError(error, 'data')) return [{ code: error.code, path, message: error.message }];
    throw error;
  }
};

/** Opens a file and reads its columns and its first rows. */
const partProblems = async (part: Part): Promise<readonly DataProblem[]> => {
  const problems: DataProblem[] = [];
  const failed = await problemsBy([part.key], async () => {
    const found = await part.reader.columns(part.file);
    if (found === undefined) throw dataErrors.emptyFile(part.file.shown);
    problems.push(...columnProblems(part, found));
    if (problems.length === 0) await readPart(part, FIRST_ROWS);
  });
  return [...problems, ...failed];
};

/** Of more files than this with the same fault nobody reads the messages. */
const MOST_WRONG = 3;

/** What is wrong with files by themselves: of many of one key the first. */
export const problemsOfParts = async (parts: readonly Part[]): Promise<readonly DataProblem[]> => {
  const problems: DataProblem[] = [];
  const wrong = new Map<string, number>();
  for (const part of parts) {
    const count = wrong.get(part.key) ?? 0;
    if (count === MOST_WRONG) continue;
    const own = await partProblems(part);
    problems.push(...own);
    wrong.set(part.key, count + Math.min(1, own.length));
  }
  return problems;
};

/** Rows of one kind: the first of them, and how many. */
interface Tally {
  count: number;
  first: Row | undefined;
}

const tallied = (tally: Tally, row: Row): void => {
  tally.first ??= row;
  tally.count++;
};

const candidateOf = ({ at, text, pair, target, split: named }: Row, { split, columns }: Part): LocatedCandidate => {
  const own = named === undefined ? split : splitNamed(named, columns.split ?? '', at);
  return {
    at,
    text: text.trim(),
    ...(pair === undefined ? {} : { pair: pair.trim() }),
    ...(target === undefined || 'missing' in target ? {} : target),
    ...(own === undefined ? {} : { split: own }),
  };
};

const withoutTarget = ({ target: _, ...candidate }: LocatedCandidate): LocatedCandidate => candidate;

/** The texts of a file, and how many rows were left out. */
export interface ReadPart {
  readonly candidates: readonly LocatedCandidate[];
  readonly dropped: number;
}

/** All texts of a file; throws a dataError where there is none, or where texts or labels are missing. */
export const readPart = async (part: Part, most = Number.POSITIVE_INFINITY): Promise<ReadPart> => {
  const { file, columns, reader, missing } = part;
  const candidates: LocatedCandidate[] = [];
  const emptyTexts: Tally = { count: 0, first: undefined };
  const emptyLabels: Tally = { count: 0, first: undefined };
  for await (const row of readRows(reader, file, { columns, missing }, most)) {
    const candidate = candidateOf(row, part);
    if ([candidate.text, candidate.pair ?? candidate.text].some(isBlank)) tallied(emptyTexts, row);
    else if (candidate.split === 'unlabelled') candidates.push(withoutTarget(candidate));
    else if (row.target !== undefined && 'missing' in row.target) tallied(emptyLabels, row);
    else candidates.push(candidate);
  }
  const dropped = emptyTexts.count + emptyLabels.count;
  if (missing.missing === 'refuse') refuse(emptyTexts, emptyLabels);
  if (candidates.length === 0)
    throw dropped === 0 ? dataErrors.emptyFile(file.shown) : dataErrors.nothingLeft(file.shown, dropped);
  return { candidates, dropped };
};

const refuse = (texts: Tally, labels: Tally): void => {
  if (texts.first !== undefined) throw dataErrors.emptyText(texts.first.at, texts.count);
  const { first, count } = labels;
  if (first?.target !== undefined && 'missing' in first.target) {
    const { missing, noun } = first.target;
    throw noun === undefined
      ? dataErrors.emptyLabel(first.at, count, missing)
      : dataErrors.emptyNumber(first.at, count, missing, noun);
  }
};
