import type { Dataset } from '../../data/dataset.ts';
import { cutShare } from '../../data/lengths.ts';
import { answersAbout, cutAnswers } from '../../engine/answers.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { ModelInfo } from '../../models/model.ts';

/** What decides how much of a text is read: the data, or a model that has fewer positions. */
const limitOf = (data: number, model: number): string =>
  model < data
    ? `the ${model} tokens that the model reads (data.maxLength is ${data})`
    : `${data} tokens (data.maxLength)`;

/** What the texts of the test split are called: words are read in sentences. */
export const testTexts = ({ task }: Pick<ModelInfo, 'task'>): string => `test ${dataTask(task).words.inputs}`;

/**
 * How much of the test texts nobody reads, in one sentence; undefined where all are whole. The same of every model that cuts
 * texts into the same tokens, so that a run has to say it once.
 */
export const cutNote = (
  texts: readonly Encoded[],
  { maxLength }: Pick<Dataset, 'maxLength'>,
  info: Pick<ModelInfo, 'maxLength' | 'task'>,
): string | undefined => {
  const cut = cutShare(texts, testTexts(info));
  if (cut === undefined) return undefined;
  const words = cutAnswers(answersAbout(texts));
  const unread = words === 0 ? '' : `; ${words} words beyond count as wrong`;
  return `${cut} are longer than ${limitOf(maxLength, info.maxLength)} and are cut${unread}`;
};
