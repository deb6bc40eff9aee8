import type { Dataset, Example } from '../../data/dataset.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import type { Model } from '../../models/model.ts';

/** Longest sequence that both the data and the model allow. */
export const longest = (dataset: Dataset, model: Model): number => Math.min(dataset.maxLength, model.info.maxLength);

/** Texts as token ids and labels, ids encoded once and kept. */
export const encodeExamples = (
  examples: readonly Example[],
  model: Model,
  maxLength: number,
): Pick<TrainingExamples, 'ids'> & { readonly labels: Int32Array } => {
  const tokenizer = tokenizerOf(model.tokenizer);
  return {
    ids: examples.map(({ text }) => tokenizer.encode(text, maxLength)),
    labels: Int32Array.from(examples, ({ label }) => label ?? -1),
  };
};
