import { unknownTargets } from '../../data/answer-targets.ts';
import type { Example } from '../../data/dataset.ts';
import type { DatasetFacts } from '../../data/files.ts';
import { spreadOver } from '../../data/spread.ts';
import { answerCount, answersAbout } from '../../engine/answers.ts';
import { type Encoded, textNumber } from '../../engine/encoded.ts';
import type { Task } from '../../engine/tasks/index.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import type { Model } from '../../models/model.ts';

/** Longest sequence that both the data and the model allow. */
export const longest = (dataset: DatasetFacts, model: Model): number =>
  Math.min(dataset.maxLength, model.info.maxLength);

const LONGEST_SHOWN = 60;

type Split = 'training' | 'validation' | 'test';

/** What errors call a sequence of a split: the number of its text in the data, and how that begins. */
export const calledIn =
  (split: Split, examples: readonly Example[], encoded: readonly Encoded[] = []) =>
  (sequence: number): string => {
    const { id, text: words = '' } = examples[textNumber(encoded, sequence)] ?? {};
    return `${split} text ${id} (${JSON.stringify(words.slice(0, LONGEST_SHOWN))})`;
  };

/** No more sequences than texts were asked for, spread evenly: a long text may be many of them. */
export const noMore = (encoded: readonly Encoded[], most: number): readonly Encoded[] =>
  encoded.length <= most
    ? encoded
    : Array.from(spreadOver(encoded.length, most)).flatMap((sequence) => encoded[sequence] ?? []);

interface Reading {
  readonly model: Model;
  readonly task: Task;
  readonly dataset: DatasetFacts;
  /** Sequences at most. */
  readonly most?: number;
}

/** Examples as a model reads them for a task, encoded once and kept, and what every answer about them should be. */
export const encodeExamples = async (
  split: Split,
  examples: readonly Example[],
  { model, task, dataset, most = Number.POSITIVE_INFINITY }: Reading,
  signal?: AbortSignal,
): Promise<TrainingExamples> => {
  const encoded = noMore(await task.encode(model, examples, longest(dataset, model), signal), most);
  const targets = task.targets?.(examples, encoded, dataset.classes);
  return {
    encoded,
    targets: targets ?? unknownTargets(answerCount(answersAbout(encoded))),
    classes: dataset.classes,
    called: calledIn(split, examples, encoded),
  };
};
