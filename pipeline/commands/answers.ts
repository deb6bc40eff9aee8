import { isUnread, rowOf } from '../../data/rows.ts';
import type { Predicted } from '../../engine/predict.ts';
import { modelTask } from '../../ground/tasks.ts';
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
  readonly info: ModelInfo;
  readonly texts: readonly Given[];
  readonly predicted: Predicted;
  /** Classes shown of each text. */
  readonly top: number;
}

interface Class {
  readonly label: string;
  readonly probability: number;
}

const softmax = (logits: Float32Array): readonly number[] => {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
};

/** All classes, the most probable first. */
const classesOf = ({ info, predicted }: Question, answer: number): readonly Class[] =>
  softmax(rowOf(predicted.rows, answer))
    .map((probability, i) => ({ label: info.labels[i] ?? `class ${i}`, probability }))
    .toSorted((a, b) => b.probability - a.probability);

const percent = (rate: number): string => `${(rate * 100).toFixed(1)} %`;

/** A pair takes two lines. */
const heading = ({ text, pair }: Given): string =>
  pair === undefined ? manyLines(text) : `${manyLines(text)}\n${manyLines(pair)}`;

const classified = (asked: Question): Said => {
  const json = asked.texts.map((given, i) => {
    const classes = classesOf(asked, i);
    return { ...given, label: classes[0]?.label ?? '', probability: classes[0]?.probability ?? 0, classes };
  });
  const lines = json.map(({ classes, ...given }) => {
    const shown = classes.slice(0, asked.top).map((one) => ({ ...one, label: oneLine(one.label) }));
    const width = Math.max(...shown.map(({ label }) => label.length));
    return [
      heading(given),
      ...shown.map(({ label, probability }) => `  ${label.padEnd(width)}  ${percent(probability).padStart(7)}`),
    ].join('\n');
  });
  return { json, text: lines.join('\n') };
};

/** One word a line with its class behind a tab, as taggers write; an empty line between texts. */
const tagged = (asked: Question): Said => {
  const { answers, rows } = asked.predicted;
  const json = asked.texts.map(({ text }, t) => ({
    text,
    words: text.split(' ').map((word, w) => {
      const answer = (answers.starts[t] ?? 0) + w;
      // A word beyond the longest sequence was not read: nothing is made up about it.
      if (isUnread(rows, answer)) return { word, label: null, probability: null };
      const [best] = classesOf(asked, answer);
      return { word, label: best?.label ?? null, probability: best?.probability ?? null };
    }),
  }));
  const text = json.map(({ words }) => words.map(({ word, label }) => `${word}\t${oneLine(label ?? '')}`).join('\n'));
  return { json, text: text.join('\n\n') };
};

const SHOWN_NUMBERS = 6;

const vectors = ({ texts, predicted }: Question): Said => {
  const json = texts.map((given, i) => ({ ...given, vector: [...rowOf(predicted.rows, i)] }));
  const lines = json.map(({ vector, ...given }) => {
    const shown = vector.slice(0, SHOWN_NUMBERS).map((x) => x.toFixed(4));
    return `${heading(given)}\n  ${vector.length} numbers: ${shown.join(' ')}${vector.length > SHOWN_NUMBERS ? ' ...' : ''}`;
  });
  return { json, text: lines.join('\n') };
};

/** What a model said, in the way of its task. */
export const saidAbout = (asked: Question): Said => {
  const { about, answer } = modelTask(asked.info.task);
  if (answer === 'vector') return vectors(asked);
  return about === 'word' ? tagged(asked) : classified(asked);
};
