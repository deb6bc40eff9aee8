import { isUnread, rowOf } from '../../data/rows.ts';
import type { Predicted } from '../../engine/predict.ts';
import type { Task } from '../../engine/tasks/task.ts';
import type { Told, ToldTag, ToldTokens } from '../../engine/tasks/told.ts';
import { entitiesIn, OUTSIDE, tagNamed } from '../../ground/metrics/entities.ts';
import { meanOf } from '../../ground/metrics/metric.ts';
import { dataTask, type ModelTask, modelTask } from '../../ground/tasks.ts';
import type { ModelInfo } from '../../models/model.ts';
import type { Answer, EntitiesAnswer, FoundEntity, Given, MasksAnswer, TagsAnswer } from './types/answers.ts';

/** Numbers that a model answered with, and where those of each text begin. */
export interface Said extends Pick<Predicted, 'rows'> {
  readonly answers: Pick<Predicted['answers'], 'starts'>;
}

/** What a model was asked, and the numbers that it answered with. */
interface Asked {
  readonly task: Task;
  readonly info: Pick<ModelInfo, 'processor'>;
  /** What the numbers of an answer stand for. */
  readonly labels: readonly string[];
  readonly texts: readonly Given[];
  readonly predicted: Said;
  /** Tokens told of each mask. */
  readonly top: number;
}

/** What was said in one answer, in the words of its task. */
const toldOf = ({ task, info, labels, top, predicted: { rows } }: Asked, answer: number): Told =>
  task.tell(isUnread(rows, answer) ? undefined : rowOf(rows, answer), labels, info.processor, top);

const otherwise = (told: Told, expected: string): Error =>
  new Error(`a task told ${Object.keys(told).join(', ')} where ${expected} was expected`);

const aboutTexts = (asked: Asked): readonly Answer[] =>
  asked.texts.map((given, i) => {
    const told = toldOf(asked, i);
    if ('tokens' in told || ('label' in told && !('classes' in told)))
      throw otherwise(told, 'classes, a number or a vector');
    return { ...given, ...told };
  });

const tagOf = (told: Told): ToldTag => {
  if ('label' in told) return { label: told.label, probability: told.probability };
  throw otherwise(told, 'the class of a word');
};

/** The words of a text with what was said of each. */
const wordsOf = (asked: Asked, text: number) => {
  const { task, texts, predicted } = asked;
  const first = predicted.answers.starts[text] ?? 0;
  const words = task.words?.(texts[text]?.text ?? '') ?? [];
  return words.map((word, w) => ({ ...word, ...tagOf(toldOf(asked, first + w)) }));
};

const aboutWords = (asked: Asked): readonly TagsAnswer[] =>
  asked.texts.map((_, t) => {
    const words = wordsOf(asked, t);
    return {
      text: words.map(({ word }) => word).join(' '),
      words: words.map(({ word, label, probability }) => ({ word, label, probability })),
    };
  });

/** The entities that the tags of a text mark, with where they stand in it and the mean probability of their tags. */
const entitiesOf = (asked: Asked, t: number): readonly FoundEntity[] => {
  const words = wordsOf(asked, t);
  const characters = [...(asked.texts[t]?.text ?? '')];
  const tags = words.map(({ label }) => tagNamed(label ?? OUTSIDE));
  return entitiesIn(tags).map(({ start: first, end, type }) => {
    const own = words.slice(first, end);
    const [from, to] = [own[0]?.start ?? 0, own.at(-1)?.end ?? 0];
    const probability = meanOf(own.map((word) => Number(word.probability)));
    return { label: type, text: characters.slice(from, to).join(''), start: from, end: to, probability };
  });
};

const aboutEntities = (asked: Asked): readonly EntitiesAnswer[] =>
  asked.texts.map(({ text }, t) => ({ text, entities: entitiesOf(asked, t) }));

const tokensIn = (told: Told): ToldTokens => {
  if ('tokens' in told) return told;
  throw otherwise(told, 'tokens');
};

/** The most probable tokens of each mask of a text, one mask after the other. */
const aboutTokens = (asked: Asked): readonly MasksAnswer[] => {
  const { starts } = asked.predicted.answers;
  return asked.texts.map((given, t) => {
    const [first = 0, end = 0] = [starts[t], starts[t + 1]];
    return { ...given, masks: Array.from({ length: end - first }, (_, i) => tokensIn(toldOf(asked, first + i))) };
  });
};

const about: Readonly<Record<ModelTask['about'], (asked: Asked) => readonly Answer[]>> = {
  text: aboutTexts,
  word: aboutWords,
  token: aboutTokens,
  image: aboutTexts,
};

/** What a model said of each text, in the way of its task. */
export const answersOf = (asked: Asked): readonly Answer[] =>
  dataTask(asked.task.name).truth === 'entities'
    ? aboutEntities(asked)
    : about[modelTask(asked.task.name).about](asked);
