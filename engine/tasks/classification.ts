import { idTargets, targetOf } from '../../data/answer-targets.ts';
import { tagsOf } from '../../data/dataset.ts';
import { logSumExp } from '../../data/rows.ts';
import { withClassificationHead, withTokenHead } from '../../models/head.ts';
import { crossEntropy, distillation } from '../losses/index.ts';
import { wholeTexts, words } from '../read.ts';
import type { Task } from './task.ts';

const softmax = (logits: Float32Array): readonly number[] => {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
};

/** All classes, the most probable first. */
const classesOf = (logits: Float32Array, labels: readonly string[]) =>
  softmax(logits)
    .map((probability, i) => ({ label: labels[i] ?? `class ${i}`, probability }))
    .toSorted((a, b) => b.probability - a.probability);

const percent = (rate: number): string => `${(rate * 100).toFixed(1)} %`;

/** What choices of classes have in common, whether of texts or of words: accuracy and cross-entropy. */
const choosing: Pick<Task, 'answering' | 'targetLosses' | 'imitation' | 'judge'> = {
  answering: (model) => model,
  targetLosses: (settings) => [crossEntropy(settings)],
  imitation: (settings) => [distillation(settings)],
  judge: (logits, { targets }, answer) => {
    const label = targetOf(targets, answer);
    let top = 0;
    for (let c = 1; c < logits.length; c++) if ((logits[c] as number) > (logits[top] as number)) top = c;
    return { score: Number(top === label), loss: logSumExp(logits) - (logits[label] ?? 0) };
  },
};

/** One class a text. */
export const textClassification: Task = {
  ...choosing,
  name: 'text-classification',
  encode: wholeTexts,
  targets: (examples) => idTargets(examples.map(({ target }) => (typeof target === 'number' ? target : -1))),
  fit: withClassificationHead,
  tell: (logits, labels) => {
    const classes = logits === undefined ? [] : classesOf(logits, labels);
    const [{ label, probability } = { label: '', probability: 0 }] = classes;
    return {
      json: { label, probability, classes },
      lines: classes.map((one) => [one.label, percent(one.probability)]),
    };
  },
};

/** One class a word, said at the word's first token; other tokens say nothing and have no loss. */
export const tokenClassification: Task = {
  ...choosing,
  name: 'token-classification',
  encode: words,
  targets: (examples, encoded) => {
    const tags = examples.map(tagsOf);
    return idTargets(encoded.flatMap(({ places = [] }, i) => Array.from(places, (_, word) => tags[i]?.[word] ?? -1)));
  },
  fit: withTokenHead,
  // Of a word beyond the longest sequence nothing is made up.
  tell: (logits, labels) => {
    const [best] = logits === undefined ? [] : classesOf(logits, labels);
    const { label, probability } = best ?? { label: null, probability: null };
    return { json: { label, probability }, lines: [[label ?? '']] };
  },
};
