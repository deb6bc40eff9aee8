import type { Dataset } from '../../data/dataset.ts';
import { lengthsOf, typicalLengths } from '../../data/lengths.ts';
import type { Encoded } from '../../engine/encoded.ts';
import type { Feeds } from '../../engine/engine.ts';
import { filledFeeds } from '../../engine/feeds.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { Model } from '../../models/model.ts';
import { longest } from '../train/examples.ts';

/** The first test texts as tokens, cut to what the model takes. */
const encoded = (dataset: Dataset, model: Model, first = dataset.test.length): Promise<readonly Encoded[]> =>
  taskOf(dataset.task).encode(model, dataset.test.slice(0, first), longest(dataset, model));

export const medianLength = async (dataset: Dataset, model: Model): Promise<number> =>
  typicalLengths(lengthsOf(await encoded(dataset, model))).median;

/** Enough texts to fill one of the middle length. */
const TEXTS = 200;

/** One text of `length` tokens, without padding. */
export const feedsOf = async (dataset: Dataset, model: Model, length: number): Promise<Feeds> =>
  filledFeeds(model.info, await encoded(dataset, model, TEXTS), { batch: 1, length });
