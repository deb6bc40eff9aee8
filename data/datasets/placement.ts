import type { TextDraw } from '../hash.ts';
import { splitErrors } from '../split-errors.ts';
import type { Candidate, Split } from './assemble.ts';
import type { Unit } from './units.ts';

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

type Places = ReadonlyMap<Unit, Split>;

const byHash = (draw: number, { test, validation }: Shares): Split =>
  draw < test ? 'test' : draw < test + validation ? 'validation' : 'train';

/** Units by their class; one of several counts for the rarest of them, which has the fewest others. */
const byClass = (units: readonly Unit[]): Iterable<readonly Unit[]> => {
  const counts = new Map<string | undefined, number>();
  for (const { labels } of units) for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const rarity = (a: string | undefined, b: string | undefined): number =>
    (counts.get(a) ?? 0) - (counts.get(b) ?? 0) || ((a ?? '') < (b ?? '') ? -1 : 1);
  const classes = new Map<string | undefined, Unit[]>();
  for (const unit of units) {
    const [rarest] = [...unit.labels].sort(rarity);
    const own = classes.get(rarest) ?? [];
    classes.set(rarest, own);
    own.push(unit);
  }
  return classes.values();
};

/** From this many expected units on, the hash alone gives a class its share closely enough. */
const ENOUGH = 30;

/** How many of a class go to test and validation: its share of each, at least one, and one is left to train on. */
const countsOf = (units: number, { test, validation }: Shares): Shares => {
  const wanted = (share: number): number => (share === 0 ? 0 : Math.max(1, Math.round(units * share)));
  const inTest = Math.min(wanted(test), units - 1);
  return { test: inTest, validation: Math.min(wanted(validation), units - 1 - inTest) };
};

/** The smallest draws are tested, the next validate: the units that the hash alone would take, only counted. */
const byRank = (units: readonly Unit[], shares: Shares): readonly (readonly [Unit, Split])[] => {
  const { test, validation } = countsOf(units.length, shares);
  const sorted = units.toSorted((a, b) => a.draw - b.draw || (a.key < b.key ? -1 : 1));
  return sorted.map((unit, i) => [unit, i < test ? 'test' : i < test + validation ? 'validation' : 'train']);
};

const placesOfClass = (units: readonly Unit[], shares: Shares): readonly (readonly [Unit, Split])[] => {
  const least = Math.min(...[shares.test, shares.validation].filter((share) => share > 0));
  return least * units.length < ENOUGH ? byRank(units, shares) : units.map((unit) => [unit, byHash(unit.draw, shares)]);
};

/**
 * Where texts without a split of their own go: those of each class by their hashes, so that every class has its share in
 * every split. Nothing depends on a seed or on the order of the rows.
 */
export const placesByClass = (units: readonly Unit[], shares: Shares): Places => {
  const places = new Map<Unit, Split>();
  for (const own of byClass(units)) for (const [unit, split] of placesOfClass(own, shares)) places.set(unit, split);
  return places;
};

/** The same by the hash of each text alone: other texts change nothing. */
export const placesByHash = (units: readonly Unit[], shares: Shares): Places =>
  new Map(units.map((unit) => [unit, byHash(unit.draw, shares)]));

/** Of the ends of runs of equal times, from some place on and with as many left, that which is nearest to a count. */
const nearestEnd = (ends: readonly number[], from: number, left: number, wanted: number): number => {
  const open = ends.slice(from, ends.length - left);
  return (
    from + open.reduce((best, end, i) => (Math.abs(end - wanted) < Math.abs((open[best] ?? 0) - wanted) ? i : best), 0)
  );
};

/** Texts up to the end of each run of units of one time, the newest first. */
const endsOf = (sorted: readonly Unit[]): readonly number[] => {
  const ends: number[] = [];
  let count = 0;
  for (const [i, { count: texts, newest }] of sorted.entries()) {
    count += texts;
    if (sorted[i + 1]?.newest !== newest) ends.push(count);
  }
  return ends;
};

/**
 * The newest texts go to test, those before them to validation: as many runs of equal times as come nearest to their shares,
 * at least one each, and one is left to train on. What stays together goes by its newest text.
 */
export const placesByTime = (units: readonly Unit[], { test, validation }: Shares): Places => {
  const sorted = units.toSorted((a, b) => b.newest - a.newest);
  const ends = endsOf(sorted);
  const total = ends.at(-1) ?? 0;
  const [some, more] = [Math.sign(test), Math.sign(validation)];
  if (ends.length < 1 + some + more) throw splitErrors.fewTimes(ends.length, 1 + some + more);
  const tested = some === 0 ? -1 : nearestEnd(ends, 0, 1 + more, total * test);
  const counted = ends[tested] ?? 0;
  const validated = more === 0 ? tested : nearestEnd(ends, tested + 1, 1, counted + total * validation);
  const validatedEnd = ends[validated] ?? 0;
  let count = 0;
  return new Map(
    sorted.map((unit) => {
      count += unit.count;
      return [unit, count <= counted ? 'test' : count <= validatedEnd ? 'validation' : 'train'];
    }),
  );
};
