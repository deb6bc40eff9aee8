import type { TextDraw } from '../hash.ts';
import { namesIn } from '../targets/target.ts';
import type { Candidate, Split } from './assemble.ts';

/** Shares of the texts without a split of their own that go to validation and test. */
export interface Shares {
  readonly validation: number;
  readonly test: number;
}

/** A text with its draws; `split` only where its file or row says it. */
export interface Placeable {
  readonly candidate: Candidate;
  readonly draws: TextDraw;
}

/** Pairs with an equal first text, or one text: what a model learns from the one, the other must not ask for. */
interface Group {
  readonly text: string;
  readonly draw: number;
  readonly labels: Set<string | undefined>;
}

const byHash = (draw: number, { test, validation }: Shares): Split =>
  draw < test ? 'test' : draw < test + validation ? 'validation' : 'train';

/** What a text has to be spread by: its classes, or the lack of any. */
export const strataOf = ({ target }: Candidate): readonly (string | undefined)[] => {
  const names = namesIn(target);
  return names.length === 0 ? [undefined] : names;
};

const groupsOf = (items: readonly Placeable[]): readonly Group[] => {
  const groups = new Map<string, Group>();
  for (const { candidate, draws } of items) {
    const { text } = candidate;
    const group = groups.get(text) ?? { text, draw: draws.split, labels: new Set() };
    groups.set(text, group);
    for (const name of strataOf(candidate)) group.labels.add(name);
  }
  return [...groups.values()];
};

/** Groups by their class; a group of several counts for the rarest of them, which has the fewest others. */
const byClass = (groups: readonly Group[]): Iterable<readonly Group[]> => {
  const counts = new Map<string | undefined, number>();
  for (const { labels } of groups) for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const rarity = (a: string | undefined, b: string | undefined): number =>
    (counts.get(a) ?? 0) - (counts.get(b) ?? 0) || ((a ?? '') < (b ?? '') ? -1 : 1);
  const classes = new Map<string | undefined, Group[]>();
  for (const group of groups) {
    const [rarest] = [...group.labels].sort(rarity);
    const own = classes.get(rarest) ?? [];
    classes.set(rarest, own);
    own.push(group);
  }
  return classes.values();
};

/** From this many expected texts on, the hash alone gives a class its share closely enough. */
const ENOUGH = 30;

/** How many of a class go to test and validation: its share of each, at least one, and one is left to train on. */
const countsOf = (groups: number, { test, validation }: Shares): Shares => {
  const wanted = (share: number): number => (share === 0 ? 0 : Math.max(1, Math.round(groups * share)));
  const inTest = Math.min(wanted(test), groups - 1);
  return { test: inTest, validation: Math.min(wanted(validation), groups - 1 - inTest) };
};

/** The smallest draws are tested, the next validate: the texts that the hash alone would take, only counted. */
const byRank = (groups: readonly Group[], shares: Shares): readonly (readonly [string, Split])[] => {
  const { test, validation } = countsOf(groups.length, shares);
  const sorted = groups.toSorted((a, b) => a.draw - b.draw || (a.text < b.text ? -1 : 1));
  return sorted.map(({ text }, i) => [text, i < test ? 'test' : i < test + validation ? 'validation' : 'train']);
};

const placesOfClass = (groups: readonly Group[], shares: Shares): readonly (readonly [string, Split])[] => {
  const least = Math.min(...[shares.test, shares.validation].filter((share) => share > 0));
  return least * groups.length < ENOUGH
    ? byRank(groups, shares)
    : groups.map(({ text, draw }) => [text, byHash(draw, shares)]);
};

/**
 * Where texts without a split of their own go: those of each class by their hashes, so that every class has its share in
 * every split. Nothing depends on a seed or on the order of the rows.
 */
export const placesByClass = (items: readonly Placeable[], shares: Shares): ReadonlyMap<string, Split> => {
  const places = new Map<string, Split>();
  for (const groups of byClass(groupsOf(items))) {
    for (const [text, split] of placesOfClass(groups, shares)) places.set(text, split);
  }
  return places;
};

/** The same by the hash of each text alone: other texts change nothing. */
export const placesByHash = (items: readonly Placeable[], shares: Shares): ReadonlyMap<string, Split> =>
  new Map(items.map(({ candidate, draws }) => [candidate.text, byHash(draws.split, shares)]));
