import { digestOfBytes } from '../../ground/digest.ts';
import type { DatasetTask } from '../../ground/tasks.ts';
import type { Dataset, Example, Pixels } from '../dataset.ts';
import { dataErrors } from '../errors.ts';
import { drawsOf, type TextDraw } from '../hash.ts';
import { indexed, type Named, namesIn, targetKindOf } from '../targets/index.ts';
import { classOrder } from './class-order.ts';
import { alikeAcross, Crossings, leftOut, likeness } from './duplicates.ts';
import { expectOneSize } from './image-sizes.ts';
import type { Loaded } from './kind.ts';
import { placesByClass, placesByHash, placesByTime, type Shares } from './placement.ts';
import { remarksOn } from './remarks.ts';
import { placementRemarks } from './split-remarks.ts';
import type { Time } from './time-column.ts';
import { strataOf, type Unit, unitsOf } from './units.ts';

export type Split = 'train' | 'unlabelled' | 'validation' | 'test';

/** A text, or a pair, as it was read. Without a split, one is drawn. */
export interface Candidate {
  readonly text: string;
  readonly pair?: string;
  /** An image, of which the text is what it is called. */
  readonly pixels?: Pixels;
  readonly target?: Named;
  readonly split?: Split;
  /** Texts of one group stay in one split. */
  readonly group?: string;
  readonly time?: Time;
  /** Where it stands, for messages. */
  readonly at?: string;
}

export interface AssembleOptions {
  readonly task: DatasetTask;
  readonly maxLength: number;
  readonly labelled?: number | undefined;
  readonly limit?: number | undefined;
  readonly shares: Shares;
  /**
   * How texts without a split get one: by the hash alone, as published datasets keep it, so that every class has its share
   * of each split, or by their time.
   */
  readonly by?: 'hash' | 'class' | 'time';
  /** Whether texts are equal that differ in case, spaces or Unicode form alone; left out, nobody asks. */
  readonly dedupe?: boolean;
  /** Class names in order; without them, those of the training texts, sorted. */
  readonly classes?: readonly string[];
  /** What messages call the source. */
  readonly source: string;
}

interface Unplaced {
  readonly id: number;
  readonly candidate: Candidate;
  readonly draws: TextDraw;
}

/** A text in its split; with what it stays together with where that was drawn. */
export interface Item extends Unplaced {
  readonly split: Split;
  readonly unit?: Unit;
}

/** What makes an example the same as another: its text, or both texts of a pair, or the samples of an image. */
const keyOf = ({ text, pair, pixels }: Candidate): string => {
  if (pixels !== undefined) return digestOfBytes(pixels.data);
  return pair === undefined ? text : JSON.stringify([text, pair]);
};

/**
 * Pairs go to a split by their first text: what a model learns from one hypothesis about a premise, another one about the
 * same premise must not ask for.
 */
const drawsFor = (key: string, { text, pair }: Candidate): TextDraw =>
  pair === undefined ? drawsOf(key) : { ...drawsOf(key), split: drawsOf(text).split };

const contradict = ({ target: one }: Candidate, { target: other }: Candidate): boolean =>
  one !== undefined && other !== undefined && JSON.stringify(one) !== JSON.stringify(other);

/** Of equal texts the first counts, whatever file or label the others have: no text is in two splits. */
const unique = (candidates: readonly Candidate[], { dedupe = false }: AssembleOptions) => {
  const items = new Map<string, Unplaced>();
  const crossings = new Crossings();
  let contradictions = 0;
  for (const candidate of candidates) {
    const key = keyOf(candidate);
    const same = dedupe ? likeness(candidate) : key;
    const known = items.get(same);
    if (known === undefined) {
      items.set(same, { id: items.size, candidate, draws: drawsFor(key, candidate) });
      continue;
    }
    if (contradict(known.candidate, candidate)) contradictions++;
    crossings.add(candidate, known.candidate, [candidate.split, known.candidate.split]);
  }
  const duplicates = candidates.length - items.size;
  return { items: [...items.values()], duplicates, contradictions, crossings: crossings.remarks(leftOut) };
};

const placers = { hash: placesByHash, class: placesByClass, time: placesByTime } as const;

/** Each text with its split: its own, or the one that is drawn. */
const placed = (items: readonly Unplaced[], { shares, by = 'hash' }: AssembleOptions): readonly Item[] => {
  const units = unitsOf(items.filter(({ candidate }) => candidate.split === undefined));
  const places = placers[by]([...new Set(units.values())], shares);
  return items.map((item): Item => {
    const unit = units.get(item);
    if (unit === undefined) return { ...item, split: item.candidate.split ?? 'train' };
    return { ...item, unit, split: places.get(unit) ?? 'train' };
  });
};

/** A class that the draw left without a training text gets the one that was nearest to training, with all that stay with it. */
const withEveryClassInTrain = (items: readonly Item[], { by }: AssembleOptions): readonly Item[] => {
  // What is newer than all training texts stays so, whatever its class.
  if (by === 'time') return items;
  const trained = new Set(
    items.filter(({ split }) => split === 'train').flatMap(({ candidate }) => strataOf(candidate)),
  );
  const rescued = new Map<string | undefined, Unit>();
  for (const { unit, candidate } of items) {
    const lost = unit === undefined ? [] : strataOf(candidate).filter((name) => !trained.has(name));
    for (const name of lost) {
      const best = rescued.get(name);
      if (unit !== undefined && (best === undefined || unit.draw > best.draw)) rescued.set(name, unit);
    }
  }
  const moved = new Set(rescued.values());
  return items.map((item) => (item.unit !== undefined && moved.has(item.unit) ? { ...item, split: 'train' } : item));
};

/** Unlabelled texts are for training: those of a group that is held out are left out. */
const withoutHeldOut = (items: readonly Item[]): readonly Item[] => {
  const held = new Set(
    items.flatMap(({ candidate: { group }, split }) => (split === 'test' || split === 'validation' ? [group] : [])),
  );
  return items.filter(
    ({ candidate: { group }, split }) => split !== 'unlabelled' || group === undefined || !held.has(group),
  );
};

/** The items with the smallest draws, in their old order. */
const smallest = (items: readonly Item[], count: number, by: (draws: TextDraw) => number): ReadonlySet<Item> =>
  new Set(items.toSorted((a, b) => by(a.draws) - by(b.draws) || a.id - b.id).slice(0, count));

const limited = (items: readonly Item[], limit: number | undefined): readonly Item[] => {
  if (limit === undefined || limit >= items.length) return items;
  const kept = smallest(items, limit, ({ subset }) => subset);
  return items.filter((item) => kept.has(item));
};

const classesOf = (items: readonly Item[], { task, classes, source }: AssembleOptions): readonly string[] => {
  const { named, complete } = targetKindOf(task);
  if (!named) return [];
  const labels = new Set<string>();
  for (const { split, candidate } of items) {
    if (split === 'train') for (const name of namesIn(candidate.target)) labels.add(name);
  }
  if (labels.size < 2) throw dataErrors.oneClass(source, [...labels][0]);
  return classes ?? complete?.([...labels]) ?? classOrder(labels);
};

/** Few labels and plenty of texts is the point of `labelled`, so a limit leaves at least half of them without. */
const labelCount = (training: number, unlabelled: number, isLimited: boolean, wanted: number | undefined): number =>
  wanted === undefined ? training : Math.min(wanted, training, isLimited ? (training + unlabelled) >> 1 : training);

/** With more classes than this and hardly two texts for each, a column of other values was taken for the labels. */
const MANY_CLASSES = 20;

const emptySplit = (split: Split, texts: number, classes: number, source: string): Error =>
  classes > MANY_CLASSES && 2 * classes > texts
    ? dataErrors.oneTextAClass(source, texts, classes)
    : dataErrors.emptySplit(split, texts);

const textsOf = ({ id, candidate: { text, pair, pixels } }: Item): Example => ({
  ...{ id, text },
  ...(pair === undefined ? {} : { pair }),
  ...(pixels === undefined ? {} : { pixels }),
});

/** Texts with what is known of them, class indices for names. */
const byIndex = (classes: readonly string[]) => {
  const indices = new Map(classes.map((name, index) => [name, index]));
  const indexOf = (name: string, at: string): number => {
    const index = indices.get(name);
    if (index === undefined) throw dataErrors.foreignLabel(at, name, classes);
    return index;
  };
  return (item: Item): Example => {
    const { target, at = 'the labels' } = item.candidate;
    return target === undefined
      ? textsOf(item)
      : { ...textsOf(item), target: indexed(target, (name) => indexOf(name, at)) };
  };
};

/**
 * Splits, limits and indexes texts. Everything is decided by hashes of the texts, nothing by a seed or by their order,
 * except that of equal texts the first counts. Pairs with an equal first text come to lie in one split, and so do the texts of a
 * group.
 */
export const assemble = (candidates: readonly Candidate[], options: AssembleOptions): Loaded => {
  expectOneSize(candidates);
  const { items: all, duplicates, contradictions, crossings } = unique(candidates, options);
  const open = withEveryClassInTrain(placed(all, options), options);
  const everything = withoutHeldOut(open);
  const classes = classesOf(everything, options);
  const items = limited(everything, options.limit);
  const of = (split: Split): readonly Item[] => items.filter((item) => item.split === split);
  const training = of('train');
  const isLimited = items.length < everything.length;
  const count = labelCount(training.length, of('unlabelled').length, isLimited, options.labelled);
  const labelled = smallest(training, count, (draws) => draws.labelled);
  const empty = (['train', 'validation', 'test'] as const).find((split) => of(split).length === 0);
  if (empty !== undefined) throw emptySplit(empty, items.length, classes.length, options.source);
  const targets = training.flatMap(({ candidate: { target } }) => (target === undefined ? [] : [target]));
  const problem = targetKindOf(options.task).problem?.(targets, options.source);
  if (problem !== undefined) throw problem;
  const indexed = byIndex(classes);
  const dataset: Dataset = {
    task: options.task,
    classes,
    maxLength: options.maxLength,
    train: training.filter((item) => labelled.has(item)).map(indexed),
    unlabelled: items
      .filter((item) => item.split === 'unlabelled' || (item.split === 'train' && !labelled.has(item)))
      .map(textsOf),
    validation: of('validation').map(indexed),
    test: of('test').map(indexed),
  };
  const remarks = [
    ...remarksOn(dataset),
    ...placementRemarks(items, open.length - everything.length),
    ...crossings,
    ...(options.dedupe === false ? alikeAcross(items) : []),
  ];
  return { dataset, duplicates, contradictions, dropped: 0, remarks };
};
