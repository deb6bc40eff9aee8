import { isUnread, rowOf } from '../../data/rows.ts';
import type { Predicted } from '../../engine/predict.ts';
import type { Task, Told } from '../../engine/tasks/task.ts';
import { entitiesIn, OUTSIDE, tagNamed } from '../../ground/metrics/entities.ts';
import { meanOf } from '../../ground/metrics/metric.ts';
import { dataTask, type ModelTask, modelTask } from '../../ground/tasks.ts';
import type { ModelInfo } from '../../models/model.ts';
import { manyLines, oneLine } from '../../reports/text.ts';
import type { Given } from './asked.ts';

/** Answers about texts, for machines and for people. */
export interface Said {
  /** One entry a text. */
  readonly json: readonly unknown[];
  readonly text: string;
}

interface Question {
  readonly task: Task;
  readonly info: Pick<ModelInfo, 'processor'>;
  /** What the numbers of an answer stand for. */
  readonly labels: readonly string[];
  readonly texts: readonly Given[];
  readonly predicted: Predicted;
  /** Lines shown of each text. */
  readonly top: number;
}

/** What was said in one answer, in the words of its task. */
const toldOf = ({ task, info, labels, top, predicted: { rows } }: Question, answer: number): Told =>
  task.tell(isUnread(rows, answer) ? undefined : rowOf(rows, answer), labels, info.processor, top);

/** A pair takes two lines. */
const heading = ({ text, pair }: Given): string =>
  pair === undefined ? manyLines(text) : `${manyLines(text)}\n${manyLines(pair)}`;

/** Width of a probability: 100.0 %. */
const PERCENT = 7;

/** Lines below a text, their first cells as wide as the widest. */
const columns = (lines: Told['lines']): readonly string[] => {
  const cells = lines.map(([first = '', ...more]) => [oneLine(first), ...more.map((cell) => cell.padStart(PERCENT))]);
  const width = Math.max(...cells.map(([first = '']) => first.length));
  return cells.map(([first = '', ...more]) => `  ${[first.padEnd(width), ...more].join('  ')}`);
};

const aboutTexts = (asked: Question): Said => {
  const told = asked.texts.map((given, i) => ({ given, ...toldOf(asked, i) }));
  const blocks = told.map(({ given, lines, least = 1 }) =>
    [heading(given), ...columns(lines.slice(0, Math.max(asked.top, least)))].join('\n'),
  );
  return { json: told.map(({ given, json }) => ({ ...given, ...json })), text: blocks.join('\n') };
};

/** The words of a text with what was said of each. */
const wordsOf = (asked: Question, text: number) => {
  const { task, texts, predicted } = asked;
  const first = predicted.answers.starts[text] ?? 0;
  const words = task.words?.(texts[text]?.text ?? '') ?? [];
  return words.map((word, w) => ({ ...word, ...toldOf(asked, first + w) }));
};

/** One word a line with its class behind a tab, as taggers write; an empty line between texts. */
const aboutWords = (asked: Question): Said => {
  const told = asked.texts.map((_, t) => wordsOf(asked, t));
  const blocks = told.map((words) => words.map(({ word, lines }) => `${word}\t${oneLine(lines[0]?.[0] ?? '')}`));
  return {
    json: told.map((words) => ({
      text: words.map(({ word }) => word).join(' '),
      words: words.map(({ word, json }) => ({ word, ...json })),
    })),
    text: blocks.map((lines) => lines.join('\n')).join('\n\n'),
  };
};

/** The entities that the tags of a text mark, with where they stand in it and the mean probability of their tags. */
const entitiesOf = (asked: Question, t: number): readonly FoundEntity[] => {
  const words = wordsOf(asked, t);
  const characters = [...(asked.texts[t]?.text ?? '')];
  const tags = words.map(({ json: { label } }) => tagNamed(typeof label === 'string' ? label : OUTSIDE));
  return entitiesIn(tags).map(({ start: first, end, type }) => {
    const own = words.slice(first, end);
    const [from, to] = [own[0]?.start ?? 0, own.at(-1)?.end ?? 0];
    const probability = meanOf(own.map(({ json }) => Number(json.probability)));
    return { label: type, text: characters.slice(from, to).join(''), start: from, end: to, probability };
  });
};

interface FoundEntity {
  readonly label: string;
  readonly text: string;
  /** In characters of the text. */
  readonly start: number;
  readonly end: number;
  readonly probability: number;
}

const aboutEntities = (asked: Question): Said => {
  const told = asked.texts.map(({ text }, t) => ({ text, entities: entitiesOf(asked, t) }));
  const blocks = told.map(({ text, entities }) => [
    manyLines(text),
    ...columns(
      entities.map((one) => [`${one.label}  ${oneLine(one.text)}`, `${(100 * one.probability).toFixed(1)} %`]),
    ),
  ]);
  return { json: told, text: blocks.map((lines) => lines.join('\n')).join('\n') };
};

/** The most probable tokens of each mask of a text, one mask after the other. */
const aboutTokens = (asked: Question): Said => {
  const { starts } = asked.predicted.answers;
  const told = asked.texts.map((given, t) => {
    const [first = 0, end = 0] = [starts[t], starts[t + 1]];
    return { given, masks: Array.from({ length: end - first }, (_, i) => toldOf(asked, first + i)) };
  });
  const blocks = told.map(({ given, masks }) => {
    const listed = masks.map(({ lines }) => columns(lines.slice(0, asked.top)).join('\n'));
    return `${heading(given)}\n${listed.join('\n\n')}`;
  });
  return {
    json: told.map(({ given, masks }) => ({ ...given, masks: masks.map(({ json }) => json) })),
    text: blocks.join('\n'),
  };
};

const told: Readonly<Record<ModelTask['about'], (asked: Question) => Said>> = {
  text: aboutTexts,
  word: aboutWords,
  token: aboutTokens,
};

/** What a model said, in the way of its task. */
export const saidAbout = (asked: Question): Said =>
  dataTask(asked.task.name).truth === 'entities' ? aboutEntities(asked) : told[modelTask(asked.task.name).about](asked);
