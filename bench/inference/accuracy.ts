import { lengthBatches } from '../../data/batches.ts';
import { labelOf } from '../../data/dataset.ts';
import { load } from '../../data/datasets/index.ts';
import { lengthsOf } from '../../data/lengths.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { feedsFor } from '../../engine/feeds.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import type { Model } from '../../models/model.ts';
import type { Contender } from './files.ts';
import { open } from './session.ts';

/** The test split of WordNet's noun definitions as a model's tokenizer cuts it. */
export interface TestTexts {
  readonly texts: readonly Encoded[];
  /** Undefined where the model has other classes. */
  readonly labels: readonly number[] | undefined;
}

const MAX_LENGTH = 48;
const FLOAT_BATCH = 64;
/** The split is the same for both. */
const THREADS = 2;

export const testTexts = async (model: Model): Promise<TestTexts> => {
  const { dataset } = await load({ uses: 'wordnet-supersense', maxLength: MAX_LENGTH }, process.cwd());
  const { info } = model;
  const length = Math.min(MAX_LENGTH, info.maxLength);
  return {
    texts: await textClassification.encode(model, dataset.test, length),
    labels: info.labels.join() === dataset.classes.join() ? dataset.test.map(labelOf) : undefined,
  };
};

const best = (logits: Float32Array, row: number, classes: number): number => {
  const scores = logits.subarray(row * classes, (row + 1) * classes);
  return scores.reduce((winner, score, i) => (score > (scores[winner] ?? Number.NEGATIVE_INFINITY) ? i : winner), 0);
};

/** What a file says about the test split. */
export interface Answers {
  /** (texts, classes), in the order of the texts. */
  readonly logits: Float32Array;
  /** Share of texts that are classified right. */
  readonly accuracy: number;
}

/** Runs the test split. INT8 runs one text at a time: its scales span the batch. */
export const answersOf = async (
  { path, precision }: Contender,
  { info }: Model,
  { texts, labels }: TestTexts,
): Promise<Answers> => {
  const runner = await open(path, info, THREADS);
  const classes = info.labels.length;
  const logits = new Float32Array(texts.length * classes);
  try {
    for (const batch of lengthBatches(lengthsOf(texts), precision === 'int8' ? 1 : FLOAT_BATCH)) {
      const rows = await runner.run(feedsFor(info, texts, batch));
      batch.rows.forEach((row, i) => {
        logits.set(rows.subarray(i * classes, (i + 1) * classes), row * classes);
      });
    }
  } finally {
    await runner.close();
  }
  const right = texts.filter((_, row) => best(logits, row, classes) === labels?.[row]).length;
  return { logits, accuracy: right / texts.length };
};

/** Root mean square of the difference of logits over that of the reference's. */
export const distance = (reference: Float32Array, logits: Float32Array): number => {
  let error = 0;
  let size = 0;
  reference.forEach((x, i) => {
    error += (x - (logits[i] ?? Number.NaN)) ** 2;
    size += x ** 2;
  });
  return Math.sqrt(error / size);
};
