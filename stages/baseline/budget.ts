import type { Example } from '../../data/dataset.ts';
import { spaced } from '../../data/spaced.ts';
import type { SparseRows } from './features.ts';
import type { LabelledRows } from './logistic.ts';
import { costOf, type Postings } from './sparse.ts';

/**
 * What the baseline may cost, in multiply-adds and bytes, never in seconds: the same data give the same model everywhere.
 * Per text it is about a tenth of what the small encoders of a run take for it.
 */
const BASE_WORK = 1e8;
const WORK_A_TEXT = 30_000;

/** 128 MB of weights. */
const MOST_WEIGHTS = 2 ** 25;

/** 96 MB of training rows. */
export const MOST_ENTRIES = 2 ** 23;

/** Penalties to choose from, as the inverse of penalty times texts (scikit-learn's C). */
const INVERSE_PENALTIES = [10, 100, 1000];

/** What is tried where there is time for one: the middle. */
const ONE_PENALTY = [100];

/** Few texts need more passes; many are learned in a few. */
const epochsFor = (texts: number): number => Math.min(30, Math.max(6, Math.round(100_000 / texts)));

/** Passes of a search that ends by itself. */
const MOST_PASSES = 200;

export interface Effort {
  /** Whether every class has a weight for every term. */
  readonly dense: boolean;
  readonly epochs: number;
  readonly inversePenalties: readonly number[];
}

const workFor = (texts: number): number => BASE_WORK + WORK_A_TEXT * texts;

/** Whether weights for every term and class fit, in memory and in work. */
export const fitsDense = ({ rows, labels }: LabelledRows, features: number, classes: number): boolean => {
  const passes = epochsFor(labels.length) * INVERSE_PENALTIES.length;
  return features * classes <= MOST_WEIGHTS && rows.columns.length * classes * passes <= workFor(labels.length);
};

export const denseEffort = (texts: number): Effort => ({
  dense: true,
  epochs: epochsFor(texts),
  inversePenalties: INVERSE_PENALTIES,
});

/** As many passes as the budget allows, at least one: over three penalties where that leaves enough passes for each. */
export const sparseEffort = (postings: Postings, rows: SparseRows, texts: number): Effort => {
  const wanted = epochsFor(texts);
  const passes = Math.max(1, Math.floor(workFor(texts) / Math.max(1, costOf(postings, rows))));
  const several = passes >= wanted * INVERSE_PENALTIES.length;
  return {
    dense: false,
    epochs: several ? wanted : Math.min(wanted, passes),
    inversePenalties: several ? INVERSE_PENALTIES : ONE_PENALTY,
  };
};

/** As many passes of a cost as the budget allows, at least one, and no more than are of any use. */
export const passesFor = (texts: number, cost: number): number =>
  Math.min(MOST_PASSES, Math.max(1, Math.floor(workFor(texts) / Math.max(1, cost))));

/** Terms in all texts, repeated ones too. */
const entriesIn = (examples: readonly Example[]): number =>
  examples.reduce((sum, { text, pair = '' }) => sum + 2 * `${text} ${pair}`.split(' ').length, 0);

/** The training texts, or as many of them as the budget holds. */
export const spacedTexts = (texts: readonly Example[]): readonly Example[] =>
  spaced(texts, entriesIn(texts), MOST_ENTRIES);
