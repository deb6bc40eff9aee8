import type { Dataset } from '../../data/dataset.ts';
import { typicalLengths } from '../../data/lengths.ts';
import { encodeTexts } from '../../engine/encode.ts';
import type { Feeds } from '../../engine/engine.ts';
import { filledFeeds } from '../../engine/feeds.ts';
import type { Model } from '../../models/model.ts';
import { longest } from '../train/examples.ts';

/** Token ids of the first test texts, cut to what the model takes. */
const encoded = (dataset: Dataset, model: Model, first = dataset.test.length): Promise<readonly Int32Array[]> =>
  encodeTexts(
    model,
    dataset.test.slice(0, first).map(({ text }) => text),
    longest(dataset, model),
  );

export const medianLength = async (dataset: Dataset, model: Model): Promise<number> =>
  typicalLengths((await encoded(dataset, model)).map((ids) => ids.length)).median;

/** Enough texts to fill one of the middle length. */
const TEXTS = 200;

/** One text of `length` tokens, without padding. */
export const feedsOf = async (dataset: Dataset, model: Model, length: number): Promise<Feeds> => {
  const ids = Int32Array.from((await encoded(dataset, model, TEXTS)).flatMap((text) => [...text]));
  return filledFeeds(model.info, ids, { batch: 1, length });
};
