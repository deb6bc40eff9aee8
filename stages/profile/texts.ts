import type { Dataset } from '../../data/dataset.ts';
import { typicalLengths } from '../../data/lengths.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { Model } from '../../models/model.ts';
import type { Feeds } from './record.ts';

/** Token ids of the test texts, cut to what the model takes. */
const encoded = (dataset: Dataset, { tokenizer: json, info }: Model): readonly Int32Array[] => {
  const tokenizer = tokenizerOf(json);
  const most = Math.min(dataset.maxLength, info.maxLength);
  return dataset.test.map(({ text }) => tokenizer.encode(text, most));
};

export const medianLength = (dataset: Dataset, model: Model): number =>
  typicalLengths(encoded(dataset, model).map((ids) => ids.length)).median;

/** Enough texts to fill one of the middle length. */
const TEXTS = 200;

/** One text of `length` tokens cut from real ones laid end to end, without padding. */
export const feedsOf = (dataset: Dataset, model: Model, length: number): Feeds => {
  const few = { ...dataset, test: dataset.test.slice(0, TEXTS) };
  const ids = encoded(few, model).flatMap((text) => [...text]);
  const dims = [1, length];
  const data = BigInt64Array.from({ length }, (_, i) => BigInt(ids[i % ids.length] ?? 0));
  return {
    [model.info.inputs.ids]: { dtype: 'int64', dims, data },
    [model.info.inputs.mask]: { dtype: 'int64', dims, data: new BigInt64Array(length).fill(1n) },
  };
};
