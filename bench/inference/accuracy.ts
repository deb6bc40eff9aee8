import { lengthBatches, tokenMatrix } from '../../data/batches.ts';
import { load } from '../../data/datasets/index.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { Model } from '../../models/model.ts';
import type { Contender } from './files.ts';
import { open } from './session.ts';

/** The test split of WordNet's noun definitions as a model's tokenizer cuts it. */
export interface TestTexts {
  readonly ids: readonly Int32Array[];
  /** Undefined where the model has other classes. */
  readonly labels: readonly number[] | undefined;
}

const MAX_LENGTH = 48;
const FLOAT_BATCH = 64;
/** The split is the same for both. */
const THREADS = 2;

export const testTexts = async ({ tokenizer: json, info }: Model): Promise<TestTexts> => {
  const { dataset } = await load({ uses: 'wordnet-supersense', maxLength: MAX_LENGTH }, process.cwd());
  const tokenizer = tokenizerOf(json);
  const length = Math.min(MAX_LENGTH, info.maxLength);
  return {
    ids: dataset.test.map(({ text }) => tokenizer.encode(text, length)),
    labels: info.labels.join() === dataset.classes.join() ? dataset.test.map(({ label }) => label) : undefined,
  };
};

const best = (logits: Float32Array, row: number, classes: number): number => {
  const scores = logits.subarray(row * classes, (row + 1) * classes);
  return scores.reduce((winner, score, i) => (score > (scores[winner] ?? Number.NEGATIVE_INFINITY) ? i : winner), 0);
};

/** Share of test texts that a file classifies right. INT8 runs one text at a time: its scales span the batch. */
export const accuracyOf = async (
  { path, precision }: Contender,
  { info }: Model,
  { ids, labels }: TestTexts,
): Promise<number> => {
  const runner = await open(path, info, THREADS);
  let right = 0;
  try {
    const lengths = ids.map(({ length }) => length);
    for (const batch of lengthBatches(lengths, precision === 'int8' ? 1 : FLOAT_BATCH)) {
      const logits = await runner.run(tokenMatrix(ids, batch, info.tokens.padding));
      batch.rows.forEach((row, i) => {
        if (best(logits, i, info.labels.length) === labels?.[row]) right++;
      });
    }
    return right / ids.length;
  } finally {
    await runner.close();
  }
};
