import { DataError, type DataProblem, dataErrors } from '../errors.ts';
import type { Candidate, Split } from './assemble.ts';
import type { Columns, Row, RowReader } from './rows.ts';
import type { SourceFile } from './text-blocks.ts';

/** One of the files that a dataset is made from. */
export interface Part {
  /** Key inside `data:` that names the file. */
  readonly key: string;
  readonly split: Split | undefined;
  readonly file: SourceFile;
  readonly columns: Columns;
  readonly reader: RowReader;
}

/** A text with its place, for messages. */
export interface LocatedCandidate extends Candidate {
  readonly at: string;
}

const roles = { text: 'text', pair: 'text', label: 'label' } as const;

const columnProblems = (part: Part, found: readonly string[]): readonly DataProblem[] =>
  (['text', 'pair', 'label'] as const).flatMap((role) => {
    const name = part.columns[role];
    if (name === undefined || found.includes(name)) return [];
    const { code, message } = dataErrors.missingColumn(part.file.shown, name, found);
    return [{ code, path: [roles[role]], message }];
  });

/** Opens a file and reads its first row, or what its format says about all rows. */
export const partProblems = async (part: Part): Promise<readonly DataProblem[]> => {
  try {
    const found = await part.reader.columns(part.file);
    if (found === undefined) throw dataErrors.emptyFile(part.file.shown);
    return columnProblems(part, found);
  } catch (error) {
    if (error instanceof DataError) return [{ code: error.code, path: [part.key], message: error.message }];
    throw error;
  }
};

/** Rows of one kind: where the first is, and how many. */
interface Tally {
  count: number;
  at: string;
}

const tallied = (tally: Tally, { at }: Row): void => {
  if (tally.count === 0) tally.at = at;
  tally.count++;
};

const candidateOf = ({ at, text, pair, label }: Row, split: Split | undefined): LocatedCandidate => ({
  at,
  text: text.trim(),
  ...(pair === undefined ? {} : { pair: pair.trim() }),
  ...(label === undefined ? {} : { label: label.trim() }),
  ...(split === undefined ? {} : { split }),
});

/** All texts of a file; throws a DataError where there is none, or where texts or labels are empty. */
export const readPart = async ({ file, split, columns, reader }: Part): Promise<readonly LocatedCandidate[]> => {
  const candidates: LocatedCandidate[] = [];
  const emptyTexts: Tally = { count: 0, at: '' };
  const emptyLabels: Tally = { count: 0, at: '' };
  for await (const row of reader.rows(file, columns)) {
    const candidate = candidateOf(row, split);
    if (candidate.text === '' || candidate.pair === '') tallied(emptyTexts, row);
    if (candidate.label === '') tallied(emptyLabels, row);
    candidates.push(candidate);
  }
  if (candidates.length === 0) throw dataErrors.emptyFile(file.shown);
  if (emptyTexts.count > 0) throw dataErrors.emptyText(emptyTexts.at, emptyTexts.count);
  if (emptyLabels.count > 0) throw dataErrors.emptyLabel(emptyLabels.at, emptyLabels.count);
  return candidates;
};
