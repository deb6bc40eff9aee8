import type { Targets } from '../../data/answer-targets.ts';
import type { Dataset } from '../../data/dataset.ts';
import { spaced } from '../../data/spaced.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { meanOf } from '../../ground/metrics/metric.ts';
import type { BaselineMetrics } from '../../ground/reported/data.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { specialIds } from '../../models/special-tokens.ts';
import { BYTES_A_NUMBER } from '../baseline/bytes.ts';

/** Enough to know how frequent tokens are. */
const MOST_TEXTS = 20_000;

/** How often the training texts have each token of a vocabulary, and one more time each, so that none is impossible. */
const countsOf = async (model: Model, dataset: Dataset, asked: ReadonlySet<number>, signal: AbortSignal) => {
  const { train, unlabelled, maxLength } = dataset;
  const tokenizer = tokenizerOf(tokenizerIn(model));
  // A special token counts where it is asked for, as the end of texts is.
  const special = new Set([...specialIds(model)].filter((id) => !asked.has(id)));
  const counts = new Float64Array(tokenizer.size);
  for (let id = 0; id < counts.length; id++) if (!special.has(id)) counts[id] = 1;
  const texts = spaced([...train, ...unlabelled], train.length + unlabelled.length, MOST_TEXTS);
  for (const { ids } of await tokenizer.encodeBatch(texts, maxLength, signal)) {
    for (const id of ids) if (!special.has(id)) counts[id] = (counts[id] as number) + 1;
  }
  return counts;
};

/**
 * Guesses every token that is asked for by how frequent tokens are in the training texts (Laplace 1814: each counted once more), whatever
 * stands around it: what a model must beat by reading. Tokens are a model's, so the figure is, too.
 */
export const byFrequency = async (
  model: Model,
  dataset: Dataset,
  targets: Targets,
  signal: AbortSignal,
): Promise<BaselineMetrics> => {
  const counts = await countsOf(model, dataset, new Set(targets.data), signal);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = counts.reduce((best, count, id) => (count > (counts[best] as number) ? id : best), 0);
  const nats = Float64Array.from(targets.data, (id) => Math.log(total / (counts[id] ?? 1)));
  const right = Float64Array.from(targets.data, (id) => Number(id === most));
  // What is told beside the score: how often the most frequent token is right.
  const frequency = {
    ...{ score: meanOf(nats), called: 'frequency of each token', mostFrequentRight: meanOf(right) },
    bytes: BYTES_A_NUMBER * counts.length,
  };
  return { frequency };
};
