import type { Dataset, Example } from '../../data/dataset.ts';
import { encodeTexts } from '../../engine/encode.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import type { Model } from '../../models/model.ts';

/** Longest sequence that both the data and the model allow. */
export const longest = (dataset: Dataset, model: Model): number => Math.min(dataset.maxLength, model.info.maxLength);

/** Texts and pairs as tokens, encoded once and kept, and their labels. */
export const encodeExamples = async (
  examples: readonly Example[],
  model: Model,
  maxLength: number,
  signal: AbortSignal,
): Promise<TrainingExamples> => ({
  texts: await encodeTexts(model, examples, maxLength, signal),
  labels: Int32Array.from(examples, ({ label }) => label ?? -1),
});
