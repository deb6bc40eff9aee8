import { dataErrors } from '../errors.ts';
import { splitErrors } from '../split-errors.ts';
import { namesIn, targetKindOf } from '../targets/index.ts';
import type { Split } from './assemble.ts';
import { type FileConfig, sharesOf } from './file-options.ts';
import type { LocatedCandidate } from './parts.ts';
import { expectOneForm } from './time-column.ts';

const isHeld = (split: Split | undefined): boolean => split === 'test' || split === 'validation';

/** Labels that only validation or test know cannot be learned: most often a typing error or the wrong file. */
export const checkLabels = ({ task }: FileConfig, candidates: readonly LocatedCandidate[]): void => {
  const trained = new Set<string>();
  for (const { split, target } of candidates) if (!isHeld(split)) for (const name of namesIn(target)) trained.add(name);
  for (const name of targetKindOf(task).complete?.([...trained]) ?? []) trained.add(name);
  for (const { split, target, at } of candidates) {
    const foreign = isHeld(split) ? namesIn(target).find((name) => !trained.has(name)) : undefined;
    if (foreign !== undefined) throw dataErrors.foreignLabel(at, foreign, [...trained].sort());
  }
};

/** Splits that the user says, where what is not held out trains. */
const sideOf = ({ split }: LocatedCandidate): string => (isHeld(split) ? (split ?? '') : 'train');

/** Where files or a column part the rows, they part the groups, too. */
const expectWholeGroups = (candidates: readonly LocatedCandidate[]): void => {
  const first = new Map<string, LocatedCandidate>();
  for (const one of candidates) {
    if (one.group === undefined) continue;
    const other = first.get(one.group) ?? one;
    first.set(one.group, other);
    if (sideOf(other) === sideOf(one)) continue;
    throw splitErrors.sharedGroup(one.at, sideOf(one), { at: other.at, split: sideOf(other) }, one.group);
  }
};

/** Of equal texts the first counts: the newest. */
const newestFirst = (candidates: readonly LocatedCandidate[], column: string): readonly LocatedCandidate[] => {
  expectOneForm(
    candidates.filter(({ time }) => time !== undefined),
    column,
  );
  return candidates.toSorted((a, b) => (b.time?.value ?? 0) - (a.time?.value ?? 0));
};

/** Shares to split off, and the texts: those of a column's training split give up texts where another one has none. */
export const placed = (config: FileConfig, candidates: readonly LocatedCandidate[]) => {
  const { validation, test } = sharesOf(config);
  const { splitColumn, splitByTime } = config;
  if (splitByTime !== undefined)
    return { candidates: newestFirst(candidates, splitByTime), shares: { validation, test } };
  expectWholeGroups(candidates);
  if (splitColumn === undefined) return { candidates, shares: { validation, test } };
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
