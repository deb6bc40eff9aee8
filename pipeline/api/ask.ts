import type { Example } from '../../data/dataset.ts';
import type { Encoded } from '../../engine/encoded.ts';
import type { Predicted } from '../../engine/predict.ts';
import type { Reader, Task } from '../../engine/tasks/task.ts';
import { isMissing, reworded } from '../../ground/errors.ts';
import { requestError } from '../diagnostic.ts';
import { limited } from '../guard/limits.ts';
import { textWork } from '../guard/work.ts';
import { answersOf } from './answers.ts';
import type { Opened } from './open.ts';
import type { Given } from './types/answers.ts';

/** Texts as a task reads them: those whose words have an answer each as these with single spaces between them. */
export const textsFor = (folder: string, { words }: Task, given: readonly Given[]): readonly Given[] => {
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

/** What is wrong with an image is wrong with what was asked. */
const inRequest = <T>(work: () => Promise<T>): Promise<T> =>
  work().catch((error: unknown) => {
    throw reworded(error, requestError);
  });

/** Images in the files that a model of images is asked about. */
const imagesOf = async (
  folder: string,
  given: readonly Given[],
): Promise<readonly (Given & Pick<Example, 'pixels'>)[]> => {
  if (given.some(({ pair }) => pair !== undefined))
    throw requestError(`${folder}: reads images; leave --pair and --pairs out`);
  const { readImage } = await import('../../data/images/index.ts');
  const one = async ({ text }: Given) => {
    const pixels = await inRequest(() => readImage(text, text)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
      throw requestError(`${text}: no such file; ${folder} reads images: name .png or .jpg files`);
    });
    return { text, pixels };
  };
  return await Promise.all(given.map(one));
};

const LONGEST_SHOWN = 60;

const calledBy = (texts: readonly Given[], i: number): string =>
  `text ${i + 1} (${JSON.stringify(texts[i]?.text.slice(0, LONGEST_SHOWN) ?? '')})`;

/** Texts as the task reads what people ask; each has to ask something. */
const readAs = async (
  task: Task,
  model: Reader,
  texts: readonly (Given & Pick<Example, 'pixels'>)[],
): Promise<readonly Encoded[]> => {
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
  const encoder = model.tokenizer === undefined ? undefined : tokenizerOf(model.tokenizer);
  return { task, predictor, encoder, labels: task.names?.(model) ?? model.info.labels };
};

/** What reads texts as a model takes them. */
interface Reading {
  readonly folder: string;
  readonly task: Task;
  readonly model: Reader;
}

/** A model that is loaded, with what it is asked for. */
export interface Asking extends Awaited<ReturnType<typeof predictorOf>> {
  readonly opened: Opened;
}

/** Texts, and how the model reads them. */
export interface Read {
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

export const readBy = async ({ folder, task, model }: Reading, given: readonly Given[]): Promise<Read> => {
  if (model.info.processor.pixels !== undefined) {
    const images = await imagesOf(folder, given);
    return { texts: given, examples: await inRequest(() => readAs(task, model, images)) };
  }
  const texts = textsFor(folder, task, given);
  return { texts, examples: await readAs(task, model, texts) };
};

/** The numbers that a loaded model answers texts with. */
export const saidOf = async (
  { texts, examples }: Read,
  { opened, predictor }: Pick<Asking, 'opened' | 'predictor'>,
  { signal, onProgress }: Omit<AskedFor, 'top'>,
): Promise<Predicted> => {
  const { batchingOf } = await import('../../models/quantized.ts');
  return await predictor.predict({
    ...{ examples, batching: batchingOf(opened.model.graph), onProgress },
    ...(signal === undefined ? {} : { signal }),
    called: (text) => calledBy(texts, text),
  });
};

/** The model with its tokenizer at work, where it has one. */
const readerOf = ({ opened: { model }, encoder }: Asking): Reader =>
  encoder === undefined ? model : { ...model, encoder };

/** What a loaded model says of texts, and the texts as it read them. */
export const answered = async (asking: Asking, given: readonly Given[], asked: AskedFor) => {
  const { opened, task, labels } = asking;
  const { folder, model } = opened;
  const { renew } = await allowed(opened, given);
  const read = await readBy({ folder, task, model: readerOf(asking) }, given);
  const onProgress = (done: number, total: number): void => {
    renew();
    asked.onProgress(done, total);
  };
  const predicted = await saidOf(read, asking, { ...asked, onProgress });
  const { info } = model;
  return {
    answers: answersOf({ task, info, labels, texts: given, predicted, top: asked.top }),
    examples: read.examples,
  };
};
