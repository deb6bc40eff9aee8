import type { Dataset, Example } from '../../data/dataset.ts';
import { encodeTexts } from '../../engine/encode.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import type { Model } from '../../models/model.ts';

/** Longest sequence that both the data and the model allow. */
export const longest = (dataset: Dataset, model: Model): number => Math.min(dataset.maxLength, model.info.maxLength);

const LONGEST_SHOWN = 60;

/** What errors call a text of a split: its number in the data, and how it begins. */
export const calledIn =
  (split: 'training' | 'validation' | 'test', examples: readonly Example[]) =>
  (text: number): string => {
    const { id, text: words = '' } = examples[text] ?? {};
    return `${split} text ${id} (${JSON.stringify(words.slice(0, LONGEST_SHOWN))})`;
  };

/** Texts and pairs as tokens, encoded once and kept, and the class of every answer about them. */
export const encodeExamples = async (
  split: 'training' | 'validation',
  examples: readonly Example[],
  model: Model,
  maxLength: number,
  signal: AbortSignal,
): Promise<TrainingExamples> => {
  const { labelsOf } = taskOf(model.info.task);
  const texts = await encodeTexts(model, examples, maxLength, signal);
  const labels = examples.flatMap((example, i) => {
    const encoded = texts[i];
    return encoded === undefined ? [] : labelsOf(example, encoded);
  });
  return { texts, labels: Int32Array.from(labels), called: calledIn(split, examples) };
};
