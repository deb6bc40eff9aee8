import type { Targets } from '../../data/answer-targets.ts';
import { byteSurprise } from '../../data/byte-model.ts';
import type { Dataset, Example } from '../../data/dataset.ts';
import { TO_THE_END } from '../../data/tokenize.ts';
import type { BaselineMetrics } from '../../ground/reported/data.ts';
import type { Model } from '../../models/model.ts';
import { byFrequency } from './frequency.ts';

/** What is to be written: of a pair the answer. */
const writtenIn = (examples: readonly Example[]): readonly string[] => examples.map(({ text, pair = text }) => pair);

/**
 * What guesses the next token without reading far: how frequent tokens are, and a model of bytes that sees five of them. What the
 * latter says of whole texts is told a token of the model's, so that it stands in the same column.
 */
export const byContinuation = async (
  model: Model,
  dataset: Dataset,
  targets: Targets,
  signal: AbortSignal,
): Promise<BaselineMetrics> => {
  const frequency = await byFrequency(model, { ...dataset, maxLength: TO_THE_END }, targets, signal);
  const training = writtenIn([...dataset.train, ...dataset.unlabelled]);
  const { bits, bytes } = await byteSurprise(training, writtenIn(dataset.test), signal);
  const nats = (bits * Math.LN2) / targets.data.length;
  const more = { perplexity: Math.exp(nats), bitsPerByte: bits / bytes };
  return { ...frequency, 'byte-model': { score: nats, called: 'model of five bytes', more } };
};
