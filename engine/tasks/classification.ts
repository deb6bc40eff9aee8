import { tagsOf } from '../../data/dataset.ts';
import { logSumExp } from '../../data/rows.ts';
import { withClassificationHead } from '../../models/head.ts';
import { withTokenHead } from '../../models/token-head.ts';
import { crossEntropy, distillation } from '../losses/index.ts';
import type { Task } from './task.ts';

/** What choices of classes have in common, whether of texts or of words: accuracy and cross-entropy. */
const choosing: Pick<Task, 'emitAnswers' | 'labelLosses' | 'imitation' | 'judge'> = {
  emitAnswers: (_, __, output) => output,
  labelLosses: [crossEntropy],
  imitation: distillation,
  judge: (logits, { labels }, answer) => {
    const label = labels[answer] ?? 0;
    let top = 0;
    for (let c = 1; c < logits.length; c++) if ((logits[c] as number) > (logits[top] as number)) top = c;
    return { score: Number(top === label), loss: logSumExp(logits) - (logits[label] ?? 0) };
  },
};

/** One class a text. */
export const textClassification: Task = {
  ...choosing,
  name: 'text-classification',
  unit: 'texts',
  encode: (encoder, texts, maxLength, signal) => encoder.encodeBatch(texts, maxLength, signal),
  labelsOf: ({ target }) => [typeof target === 'number' ? target : -1],
  fit: (model, classes) => withClassificationHead(model, classes),
};

/** One class a word, said at the word's first token; other tokens say nothing and have no loss. */
export const tokenClassification: Task = {
  ...choosing,
  name: 'token-classification',
  unit: 'words',
  encode: (encoder, texts, maxLength, signal) =>
    encoder.encodeWords(
      texts.map((text) => (typeof text === 'string' ? text : text.text)),
      maxLength,
      signal,
    ),
  labelsOf: (example, { words = new Int32Array() }) => {
    const tags = tagsOf(example);
    return Array.from(words, (_, word) => tags[word] ?? -1);
  },
  fit: withTokenHead,
};
