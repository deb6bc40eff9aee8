import { idTargets, targetOf } from '../../data/answer-targets.ts';
import { largestOf, logSumExp } from '../../data/rows.ts';
import { withClassificationHead } from '../../models/head.ts';
import { crossEntropy, distillation } from '../losses/index.ts';
import { wholeTexts } from '../read.ts';
import type { Task } from './task.ts';

const softmax = (logits: Float32Array): readonly number[] => {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
};

/** All classes, the most probable first. */
export const classesOf = (logits: Float32Array, labels: readonly string[]) =>
  softmax(logits)
    .map((probability, i) => ({ label: labels[i] ?? `class ${i}`, probability }))
    .toSorted((a, b) => b.probability - a.probability);

const percent = (rate: number): string => `${(rate * 100).toFixed(1)} %`;

/** What choices of classes have in common, whether of texts or of words: accuracy and cross-entropy. */
export const choosing: Pick<Task, 'answering' | 'targetLosses' | 'imitation' | 'judge'> = {
  answering: (model) => model,
  targetLosses: (settings) => [crossEntropy(settings)],
  imitation: (settings) => [distillation(settings)],
  judge: (logits, { targets }, answer) => {
    const label = targetOf(targets, answer);
    const top = largestOf(logits);
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
