import type { Dataset, Example } from '../../../data/dataset.ts';
import type { TextCounts } from '../../../stages/expected.ts';

/** The texts of a pipeline: how many there are, and some of them. */
export interface Texts {
  readonly counts: TextCounts;
  /** Characters of all of them. */
  readonly characters: number;
  /** The data with a few training texts alone. */
  readonly sample: Dataset;
}

/** Enough to know how long texts are. */
const SAMPLED = 2000;

const spread = (examples: readonly Example[], most: number): readonly Example[] => {
  const step = Math.max(1, examples.length / most);
  return Array.from({ length: Math.min(most, examples.length) }, (_, i) => examples[Math.floor(i * step)]).filter(
    (example) => example !== undefined,
  );
};

/** What is to be known of data before a run. */
export const textsOf = (dataset: Dataset): Texts => {
  const { train, unlabelled, validation, test } = dataset;
  const all = [train, unlabelled, validation, test];
  const characters = all.flat().reduce((sum, { text, pair = '' }) => sum + text.length + pair.length, 0);
  const sample = {
    ...dataset,
    train: spread([...train, ...unlabelled], SAMPLED),
    unlabelled: [],
    validation: [],
    test: [],
  };
  return {
    counts: { train: train.length, unlabelled: unlabelled.length, validation: validation.length, test: test.length },
    characters,
    sample,
  };
};
