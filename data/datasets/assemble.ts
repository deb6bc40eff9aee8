import type { Dataset, Example, Labelled } from '../dataset.ts';
import { dataErrors } from '../errors.ts';
import { drawsOf, type TextDraw } from '../hash.ts';
import type { Loaded } from './kind.ts';

export type Split = 'train' | 'unlabelled' | 'validation' | 'test';

/** A text as it was read. Without a split, the hash of the text decides. */
export interface Candidate {
  readonly text: string;
  readonly label?: string;
  readonly split?: Split;
}

export interface AssembleOptions {
  readonly maxLength: number;
  readonly labelled?: number | undefined;
  readonly limit?: number | undefined;
  /** Shares of the texts without a split of their own that go to validation and test. */
  readonly shares: { readonly validation: number; readonly test: number };
  /** Class names in order; without them, the labels of the training texts, sorted. */
  readonly classes?: readonly string[];
  /** What messages call the source. */
  readonly source: string;
}

interface Item {
  readonly id: number;
  readonly text: string;
  readonly label: string | undefined;
  readonly draws: TextDraw;
  readonly split: Split;
  readonly drawn: boolean;
}

const drawnSplit = ({ split }: TextDraw, { test, validation }: AssembleOptions['shares']): Split =>
  split < test ? 'test' : split < test + validation ? 'validation' : 'train';

const itemOf = (id: number, candidate: Candidate, options: AssembleOptions): Item => {
  const draws = drawsOf(candidate.text);
  const split = candidate.split ?? drawnSplit(draws, options.shares);
  return { id, text: candidate.text, label: candidate.label, draws, split, drawn: candidate.split === undefined };
};

/** Of equal texts the first counts, whatever file or label the others have: no text is in two splits. */
const unique = (candidates: readonly Candidate[], options: AssembleOptions) => {
  const items = new Map<string, Item>();
  let contradictions = 0;
  for (const candidate of candidates) {
    const known = items.get(candidate.text);
    if (known === undefined) items.set(candidate.text, itemOf(items.size, candidate, options));
    else if (known.label !== undefined && candidate.label !== undefined && known.label !== candidate.label) {
      contradictions++;
    }
  }
  return { items: [...items.values()], duplicates: candidates.length - items.size, contradictions };
};

/** A class that the hash left without a training text gets the one that was nearest to training. */
const withEveryClassInTrain = (items: readonly Item[]): readonly Item[] => {
  const trained = new Set(items.filter(({ split }) => split === 'train').map(({ label }) => label));
  const rescued = new Map<string | undefined, Item>();
  for (const item of items) {
    if (!item.drawn || trained.has(item.label)) continue;
    const best = rescued.get(item.label);
    if (best === undefined || item.draws.split > best.draws.split) rescued.set(item.label, item);
  }
  return items.map((item) => (rescued.get(item.label) === item ? { ...item, split: 'train' } : item));
};

/** The items with the smallest draws, in their old order. */
const smallest = (items: readonly Item[], count: number, by: (draws: TextDraw) => number): ReadonlySet<Item> =>
  new Set(items.toSorted((a, b) => by(a.draws) - by(b.draws) || a.id - b.id).slice(0, count));

const limited = (items: readonly Item[], limit: number | undefined): readonly Item[] => {
  if (limit === undefined || limit >= items.length) return items;
  const kept = smallest(items, limit, ({ subset }) => subset);
  return items.filter((item) => kept.has(item));
};

const numeric = /^-?\d+$/;

const sortedClasses = (labels: ReadonlySet<string>): readonly string[] =>
  [...labels].every((label) => numeric.test(label))
    ? [...labels].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
    : [...labels].sort();

const classesOf = (items: readonly Item[], { classes, source }: AssembleOptions): readonly string[] => {
  const labels = new Set(
    items.flatMap(({ split, label }) => (split === 'train' && label !== undefined ? [label] : [])),
  );
  if (labels.size < 2) throw dataErrors.oneClass(source, [...labels][0]);
  return classes ?? sortedClasses(labels);
};

/** Few labels and plenty of texts is the point of `labelled`, so a limit leaves at least half of them without. */
const labelCount = (training: number, unlabelled: number, isLimited: boolean, wanted: number | undefined): number =>
  wanted === undefined ? training : Math.min(wanted, training, isLimited ? (training + unlabelled) >> 1 : training);

/** With more classes than this and hardly two texts for each, a column of other values was taken for the labels. */
const MANY_CLASSES = 20;

const byIndex = (classes: readonly string[]) => {
  const indices = new Map(classes.map((name, index) => [name, index]));
  return ({ id, text, label = '' }: Item): Labelled => {
    const index = indices.get(label);
    if (index === undefined) throw dataErrors.foreignLabel('the labels', label, classes);
    return { id, text, label: index };
  };
};

const withoutLabel = ({ id, text }: Item): Example => ({ id, text });

/**
 * Splits, limits and indexes texts. Everything is decided by hashes of the texts, nothing by a seed or by their order,
 * except that of equal texts the first counts.
 */
export const assemble = (candidates: readonly Candidate[], options: AssembleOptions): Loaded => {
  const { items: all, duplicates, contradictions } = unique(candidates, options);
  const placed = options.classes === undefined ? withEveryClassInTrain(all) : all;
  const classes = classesOf(placed, options);
  const items = limited(placed, options.limit);
  const of = (split: Split): readonly Item[] => items.filter((item) => item.split === split);
  const training = of('train');
  const isLimited = items.length < placed.length;
  const count = labelCount(training.length, of('unlabelled').length, isLimited, options.labelled);
  const labelled = smallest(training, count, (draws) => draws.labelled);
  for (const split of ['train', 'validation', 'test'] as const) {
    if (of(split).length > 0) continue;
    const { length } = classes;
    if (length > MANY_CLASSES && 2 * length > items.length) {
      throw dataErrors.oneTextAClass(options.source, items.length, length);
    }
    throw dataErrors.emptySplit(split, items.length);
  }
  const toLabelled = byIndex(classes);
  const dataset: Dataset = {
    task: 'text-classification',
    classes,
    maxLength: options.maxLength,
    train: training.filter((item) => labelled.has(item)).map(toLabelled),
    unlabelled: items
      .filter((item) => item.split === 'unlabelled' || (item.split === 'train' && !labelled.has(item)))
      .map(withoutLabel),
    validation: of('validation').map(toLabelled),
    test: of('test').map(toLabelled),
  };
  return { dataset, duplicates, contradictions };
};
