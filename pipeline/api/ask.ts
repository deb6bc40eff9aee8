import type { Encoded } from '../../engine/encoded.ts';
import type { Reader, Task } from '../../engine/tasks/task.ts';
import type { Model } from '../../models/model.ts';
import { requestError } from '../diagnostic.ts';
import { limited } from '../guard/limits.ts';
import { textWork } from '../guard/work.ts';
import { answersOf } from './answers.ts';
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
const readAs = async (task: Task, model: Model & Reader, texts: readonly Given[]): Promise<readonly Encoded[]> => {
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

/**
 * A model with the task that it is made for and what the numbers of its answers stand for, loaded to be asked many times; what it
 * may take is said before.
 */
export const predictorOf = async ({ folder, model }: Opened, threads: number) => {
  const { taskOf } = await import('../../engine/tasks/index.ts');
  const { openPredictor } = await import('../../engine/predict.ts');
  const { tokenizerOf } = await import('../../data/tokenize.ts');
  await limited(() => textWork({ folder, model }, []));
  const task = taskOf(model.info.task);
  const predictor = await openPredictor({ model, task, threads });
  const encoder = tokenizerOf(model.tokenizer);
  return { task, predictor, encoder, labels: task.names?.(model) ?? model.info.labels };
};

/** A model that is loaded, with what it is asked for. */
export interface Asking extends Awaited<ReturnType<typeof predictorOf>> {
  readonly opened: Opened;
}

/** Texts, and how the model reads them. */
interface Read {
  readonly given: readonly Given[];
  readonly texts: readonly Given[];
  readonly examples: readonly Encoded[];
}

interface AskedFor {
  /** Tokens told of each mask. */
  readonly top: number;
  readonly signal?: AbortSignal | undefined;
  onProgress(done: number, total: number): void;
}

/** Says that these texts are read and answered now, and may take the time and memory that they should need. */
export const allowed = (opened: Opened, given: readonly Given[]) => limited(() => textWork(opened, given));

export const readBy = async (
  { opened: { folder, model }, task, encoder }: Asking,
  given: readonly Given[],
): Promise<Read> => {
  const texts = textsFor(folder, task, given);
  return { given, texts, examples: await readAs(task, { ...model, encoder }, texts) };
};

/** What a loaded model says of texts that it has read. */
export const answersTo = async (
  { given, texts, examples }: Read,
  { opened: { model }, task, predictor, labels }: Asking,
  { top, signal, onProgress }: AskedFor,
) => {
  const { batchingOf } = await import('../../models/quantized.ts');
  const predicted = await predictor.predict({
    ...{ examples, batching: batchingOf(model.graph), onProgress },
    ...(signal === undefined ? {} : { signal }),
    called: (text) => calledBy(texts, text),
  });
  return answersOf({ task, info: model.info, labels, texts: given, predicted, top });
};

/** What a loaded model says of texts, and the texts as it read them. */
export const answered = async (asking: Asking, given: readonly Given[], asked: AskedFor) => {
  const { renew } = await allowed(asking.opened, given);
  const read = await readBy(asking, given);
  const onProgress = (done: number, total: number): void => {
    renew();
    asked.onProgress(done, total);
  };
  return { answers: await answersTo(read, asking, { ...asked, onProgress }), examples: read.examples };
};
