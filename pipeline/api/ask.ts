import type { Encoded } from '../../engine/encoded.ts';
import type { Task } from '../../engine/tasks/task.ts';
import type { Model } from '../../models/model.ts';
import { requestError } from '../diagnostic.ts';
import { limited } from '../guard/limits.ts';
import { textWork } from '../guard/work.ts';
import type { Opened } from './open.ts';
import type { Given } from './types/answers.ts';

/** Texts as a task reads them: those whose words have an answer each as these with single spaces between them. */
const textsFor = (folder: string, { words }: Task, given: readonly Given[]): readonly Given[] => {
  if (words === undefined) return given;
  if (given.some(({ pair }) => pair !== undefined)) {
    throw requestError(`${folder}: tags the words of single texts; leave --pair and --pairs out`);
  }
  return given.map(({ text }) => ({
    text: words(text)
      .map(({ word }) => word)
      .join(' '),
  }));
};

const LONGEST_SHOWN = 60;

const calledBy = (texts: readonly Given[], i: number): string =>
  `text ${i + 1} (${JSON.stringify(texts[i]?.text.slice(0, LONGEST_SHOWN) ?? '')})`;

/** Texts as the task reads what people ask; each has to ask something. */
const readAs = async (task: Task, model: Model, texts: readonly Given[]): Promise<readonly Encoded[]> => {
  const { info } = model;
  if (task.ask === undefined) return task.encode(model, texts, info.maxLength);
  const encoded = await task.ask(model, texts);
  const silent = encoded.findIndex(({ places }) => places?.length === 0);
  if (silent < 0) return encoded;
  const { maskTokenOf } = await import('../../models/special-tokens.ts');
  const mask = maskTokenOf(model)?.text ?? 'the mask token, which the tokenizer lacks';
  throw requestError(
    `${calledBy(texts, silent)}: there is nothing to fill in; expected ${mask} in the place of a word, among the first ${info.maxLength} tokens`,
  );
};

/** A model with the task that it is made for, loaded to be asked many times; what it may take is said before. */
export const predictorOf = async ({ folder, model }: Opened, threads: number) => {
  const { taskOf } = await import('../../engine/tasks/index.ts');
  const { openPredictor } = await import('../../engine/predict.ts');
  limited(await textWork({ folder, model }, []));
  const task = taskOf(model.info.task);
  return { task, predictor: await openPredictor({ model, task, threads }) };
};

/** Texts that people ask about, as a prediction takes them, with the time and memory that they may take. */
export const questionOf = async ({ folder, model }: Opened, task: Task, given: readonly Given[]) => {
  const texts = textsFor(folder, task, given);
  const limits = limited(await textWork({ folder, model }, texts));
  const { batchingOf } = await import('../../models/quantized.ts');
  return {
    ...{ examples: await readAs(task, model, texts), batching: batchingOf(model.graph) },
    called: (text: number) => calledBy(texts, text),
    onProgress: limits.renew,
  };
};

/** What was asked, for whoever tells the answers. */
export const askedBy = ({ model }: Opened, task: Task, given: readonly Given[]) => ({
  ...{ task, info: model.info, labels: task.names?.(model) ?? model.info.labels, texts: given },
});
