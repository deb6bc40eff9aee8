import type { Dataset, Example } from '../../../data/dataset.ts';
import { modelTask } from '../../../ground/tasks.ts';
import type { TextCounts } from '../../../stages/expected.ts';

/** The texts of a pipeline: how many there are, and some of them. */
export interface Texts {
  readonly counts: TextCounts;
  /** Characters of each kind; of images bytes. */
  readonly characters: TextCounts;
  /** The data with a few training texts alone. */
  readonly sample: Dataset;
}

/** Enough to know how long texts are, and to learn a tokenizer that cuts them much as the one of a run. */
const [SAMPLED, SAMPLED_CHARACTERS] = [2000, 1_500_000];

const spread = (examples: readonly Example[], most: number): readonly Example[] => {
  const step = Math.max(1, examples.length / most);
  return Array.from({ length: Math.min(most, examples.length) }, (_, i) => examples[Math.floor(i * step)]).filter(
    (example) => example !== undefined,
  );
};

const sizeOf = ({ text, pair = '', pixels }: Example): number => pixels?.data.length ?? text.length + pair.length;

const charactersIn = (examples: readonly Example[]): number => examples.reduce((sum, one) => sum + sizeOf(one), 0);

/** All of the kinds together. */
export const total = ({ train, unlabelled, validation, test }: TextCounts): number =>
  train + unlabelled + validation + test;

const each = (data: Dataset, count: (examples: readonly Example[]) => number): TextCounts => ({
  train: count(data.train),
  unlabelled: count(data.unlabelled),
  validation: count(data.validation),
  test: count(data.test),
});

/** Some texts from all over, fewer where they are long. Images cost nothing but the place that they have. */
const sampleOf = (all: readonly Example[]): readonly Example[] => {
  const mean = all.reduce((sum, { text, pair = '' }) => sum + text.length + pair.length, 0) / Math.max(1, all.length);
  return spread(all, Math.max(1, Math.min(SAMPLED, Math.ceil(SAMPLED_CHARACTERS / Math.max(1, mean)))));
};

/** What is to be known of data before a run. */
export const textsOf = (dataset: Dataset): Texts => ({
  counts: each(dataset, ({ length }) => length),
  characters: each(dataset, charactersIn),
  sample: {
    ...dataset,
    train: sampleOf([...dataset.train, ...dataset.unlabelled]),
    unlabelled: [],
    validation: [],
    test: [],
  },
});

/** Characters of a token, where nobody has counted yet. */
const CHARACTERS = 4;

/** Rows of a character: long texts are several, where a model reads them to their end in stretches. */
const rowsOfCharacter = ({ sample }: Texts, lengths: readonly number[] | undefined): number => {
  if (lengths !== undefined) return lengths.length / Math.max(1, charactersIn(sample.train));
  return modelTask(sample.task).reads === 'before' ? 1 / (CHARACTERS * sample.maxLength) : 0;
};

/** How many rows a model reads of each kind of text, by the lengths of those of the sample where they are known. */
export const rowsOf = (texts: Texts, lengths?: readonly number[]): TextCounts => {
  const { counts, characters, sample } = texts;
  // Where each text is one row nothing has to be inferred.
  if (lengths?.length === sample.train.length) return counts;
  const rate = rowsOfCharacter(texts, lengths);
  const rows = (kind: keyof TextCounts): number => Math.max(counts[kind], Math.round(rate * characters[kind]));
  return { train: rows('train'), unlabelled: rows('unlabelled'), validation: rows('validation'), test: rows('test') };
};
