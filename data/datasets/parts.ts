import { isUserError, type UserError } from '../../ground/errors.ts';
import { type DataProblem, dataErrors } from '../errors.ts';
import { splitErrors } from '../split-errors.ts';
import type { Candidate, Split } from './assemble.ts';
import type { SourceFile } from './bytes.ts';
import { isBlank, type MissingOptions } from './missing.ts';
import { type Columns, type MissingValue, type Row, type RowReader, readRows } from './rows.ts';
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
  wordAt(word: number): string;
}

const columnProblem = ({ file: { shown } }: Part, name: string, found: readonly string[]): UserError | undefined => {
  const times = found.filter((column) => column === name).length;
  if (times === 1) return undefined;
  return times === 0 ? dataErrors.missingColumn(shown, name, found) : dataErrors.repeatedColumn(shown, name, found);
};

/** Columns by the key that names them. */
const keysOf = ({
  text,
  pair,
  target,
  split,
  group,
  time,
}: Columns): readonly (readonly [key: string, name: string])[] => [
  ['text', text],
  ...(pair === undefined ? [] : [['text', pair] as const]),
  ...(target?.names ?? []).map((name) => ['label', name] as const),
  ...(split === undefined ? [] : [['splitColumn', split] as const]),
  ...(group === undefined ? [] : [['groupBy', group] as const]),
  ...(time === undefined ? [] : [['splitByTime', time] as const]),
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

/** Rows that lack the same: the first of them, and how many. */
interface Tally {
  count: number;
  readonly first: Row;
}

const tallied = (tallies: Map<Lack, Tally>, lack: Lack, row: Row): void => {
  const tally = tallies.get(lack) ?? { count: 0, first: row };
  tallies.set(lack, tally);
  tally.count++;
};

const isMissing = (value: unknown): value is MissingValue =>
  typeof value === 'object' && value !== null && 'missing' in value;

const candidateOf = (row: Row, { split, columns }: Part): LocatedCandidate => {
  const { at, wordAt, text, pixels, pair, target, split: named, group, time } = row;
  const own = named === undefined ? split : splitNamed(named, columns.split ?? '', at);
  return {
    ...{ at, wordAt, text: text.trim() },
    ...(pixels === undefined ? {} : { pixels }),
    ...(pair === undefined ? {} : { pair: pair.trim() }),
    ...(target === undefined || isMissing(target) ? {} : { target: target.target }),
    ...(own === undefined ? {} : { split: own }),
    ...(group === undefined || isMissing(group) ? {} : { group }),
    ...(time === undefined || isMissing(time) ? {} : { time }),
  };
};

const withoutTarget = ({ target: _, ...candidate }: LocatedCandidate): LocatedCandidate => candidate;

/** The texts of a file, and how many rows were left out. */
export interface ReadPart {
  readonly candidates: readonly LocatedCandidate[];
  readonly dropped: number;
}

/** What a row may lack, in the order in which it is asked for. */
type Lack = 'text' | 'group' | 'time' | 'label';

const lackOf = (row: Row, { text, pair, split }: LocatedCandidate): Lack | undefined => {
  if ([text, pair ?? text].some(isBlank)) return 'text';
  if (isMissing(row.group)) return 'group';
  if (isMissing(row.time)) return 'time';
  return split !== 'unlabelled' && isMissing(row.target) ? 'label' : undefined;
};

/** All texts of a file; throws a dataError where there is none, or where something is missing. */
export const readPart = async (part: Part, most = Number.POSITIVE_INFINITY): Promise<ReadPart> => {
  const { file, columns, reader, missing } = part;
  const candidates: LocatedCandidate[] = [];
  const lacks = new Map<Lack, Tally>();
  let dropped = 0;
  for await (const row of readRows(reader, file, { columns, missing }, most)) {
    const candidate = candidateOf(row, part);
    const lack = lackOf(row, candidate);
    if (lack === undefined) candidates.push(candidate.split === 'unlabelled' ? withoutTarget(candidate) : candidate);
    else {
      tallied(lacks, lack, row);
      dropped++;
    }
  }
  if (missing.missing === 'refuse') refuse(lacks, columns);
  if (candidates.length === 0)
    throw dropped === 0 ? dataErrors.emptyFile(file.shown) : dataErrors.nothingLeft(file.shown, dropped);
  return { candidates, dropped };
};

/** The texts of several files, one after the other. */
export const readParts = async (parts: readonly Part[]): Promise<ReadPart> => {
  const candidates: LocatedCandidate[] = [];
  let dropped = 0;
  for (const part of parts) {
    const read = await readPart(part);
    for (const candidate of read.candidates) candidates.push(candidate);
    dropped += read.dropped;
  }
  return { candidates, dropped };
};

const refuse = (lacks: ReadonlyMap<Lack, Tally>, columns: Columns): void => {
  const text = lacks.get('text');
  if (text !== undefined) throw dataErrors.emptyText(text.first.at, text.count);
  for (const [lack, key] of [
    ['group', 'groupBy'],
    ['time', 'splitByTime'],
  ] as const) {
    const cell = lacks.get(lack);
    const value = cell?.first[lack];
    if (cell === undefined || !isMissing(value)) continue;
    throw splitErrors.emptyCell(cell.first.at, cell.count, {
      column: columns[lack] ?? '',
      key,
      spelled: value.missing,
    });
  }
  const label = lacks.get('label');
  if (label?.first.target !== undefined && 'missing' in label.first.target) {
    const { missing, noun } = label.first.target;
    throw noun === undefined
      ? dataErrors.emptyLabel(label.first.at, label.count, missing)
      : dataErrors.emptyNumber(label.first.at, label.count, missing, noun);
  }
};
