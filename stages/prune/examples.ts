import { type Dataset, type Labelled, labelledExamples } from '../../data/dataset.ts';
import { permutation, stream } from '../../data/random.ts';
import type { HostTensor } from '../../engine/engine.ts';
import type { ModelInfo } from '../../models/model.ts';

/** Texts of similar length as the model takes them, with their classes. */
export interface Batch {
  readonly ids: HostTensor; // (batch, sequence)
  readonly mask: HostTensor; // (batch, sequence)
  readonly labels: Int32Array; // (batch)
}

const BATCH = 32;

interface Encoded {
  readonly ids: Int32Array;
  readonly label: number;
}

const batchOf = (rows: readonly Encoded[], padding: number): Batch => {
  const length = Math.max(1, ...rows.map(({ ids }) => ids.length));
  const dims = [rows.length, length];
  const ids = new BigInt64Array(rows.length * length).fill(BigInt(padding));
  const mask = new BigInt64Array(rows.length * length);
  rows.forEach((row, r) => {
    row.ids.forEach((id, i) => {
      ids[r * length + i] = BigInt(id);
      mask[r * length + i] = 1n;
    });
  });
  return {
    ids: { dtype: 'int64', dims, data: ids },
    mask: { dtype: 'int64', dims, data: mask },
    labels: Int32Array.from(rows, ({ label }) => label),
  };
};

/** Labelled texts in batches of similar length, so that little is padded. Padding is masked and changes no score. */
export const batchesOf = (
  examples: readonly Labelled[],
  encode: (text: string) => Int32Array,
  tokens: ModelInfo['tokens'],
): readonly Batch[] => {
  const rows = examples
    .map(({ text, label }) => ({ ids: encode(text), label }))
    .sort((a, b) => a.ids.length - b.ids.length);
  const batches: Batch[] = [];
  for (let start = 0; start < rows.length; start += BATCH) {
    batches.push(batchOf(rows.slice(start, start + BATCH), tokens.padding));
  }
  return batches;
};

/** `count` labelled training texts drawn without replacement; all of them where there are fewer. */
export const drawExamples = (dataset: Dataset, count: number, seed: number): readonly Labelled[] => {
  const order = permutation(dataset.train.length, stream(seed, 'prune', 'examples'));
  return labelledExamples([...order.subarray(0, count)].flatMap((i) => dataset.train[i] ?? []));
};
