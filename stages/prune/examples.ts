import type { Dataset, Labelled } from '../../data/dataset.ts';
import { lengthsOf } from '../../data/lengths.ts';
import { permutation, stream } from '../../data/random.ts';
import type { EncodedText } from '../../data/tokenize.ts';
import type { Feeds } from '../../engine/engine.ts';
import { textFeeds } from '../../engine/feeds.ts';
import type { ModelInfo } from '../../models/model.ts';

/** Texts of similar length as the model takes them, with their classes. */
export interface Batch {
  readonly feeds: Feeds; // (batch, sequence) each
  readonly labels: Int32Array; // (batch)
}

const BATCH = 32;

/** Labelled texts in batches of similar length, so that little is padded. Padding is masked and changes no score. */
export const batchesOf = (
  examples: readonly Labelled[],
  encode: (example: Labelled) => EncodedText,
  info: ModelInfo,
): readonly Batch[] => {
  const texts = examples.map(encode);
  const lengths = lengthsOf(texts);
  const order = Int32Array.from(texts, (_, i) => i).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const batches: Batch[] = [];
  for (let start = 0; start < order.length; start += BATCH) {
    const rows = order.subarray(start, start + BATCH);
    const length = lengths[rows.at(-1) ?? 0] ?? 1;
    batches.push({
      feeds: textFeeds(info, texts, { rows, length }),
      labels: Int32Array.from(rows, (row) => examples[row]?.label ?? 0),
    });
  }
  return batches;
};

/** `count` labelled training texts drawn without replacement; all of them where there are fewer. */
export const drawExamples = (dataset: Dataset, count: number, seed: number): readonly Labelled[] => {
  const order = permutation(dataset.train.length, stream(seed, 'prune', 'examples'));
  return [...order.subarray(0, count)].flatMap((i) => dataset.train[i] ?? []);
};
