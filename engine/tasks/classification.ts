import { idTargets, targetOf } from '../../data/answer-targets.ts';
import { tagsOf } from '../../data/dataset.ts';
import { largestOf, logSumExp } from '../../data/rows.ts';
import { placedWords, spacedWords } from '../../data/words.ts';
import { withEntities } from '../../ground/metrics/entities.ts';
import { withClassificationHead, withTokenHead } from '../../models/head.ts';
import { continuations, crossEntropy, type Loss, type LossSettings } from '../losses/index.ts';
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

/** What choices of classes have in common, whether of texts or of words: accuracy and cross-entropy. */
const choosing: Pick<Task, 'answering' | 'targetLosses' | 'imitation' | 'judge'> = {
  answering: (model) => model,
  targetLosses: (settings) => [crossEntropy(settings)],
  imitation: 'kl',
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
    return { label, probability, classes };
  },
};

/** One class a word, said at the word's first token; other tokens say nothing and have no loss. */
export const tokenClassification: Task = {
  ...choosing,
  name: 'token-classification',
  encode: words,
  words: spacedWords,
  targets: (examples, encoded) => {
    const tags = examples.map(tagsOf);
    return idTargets(encoded.flatMap(({ places = [] }, i) => Array.from(places, (_, word) => tags[i]?.[word] ?? -1)));
  },
  fit: withTokenHead,
  // Of a word beyond the longest sequence nothing is made up.
  tell: (logits, labels) => {
    const [best] = logits === undefined ? [] : classesOf(logits, labels);
    return best ?? { label: null, probability: null };
  },
};

/** Tokens within words are taught, too, as far as the names of the classes say what goes on with them. */
const within = (settings: LossSettings): readonly Loss[] =>
  settings.classes === undefined ? [] : [continuations(settings)];

/** A tag a word that says which entity it is of; answers are judged by the entities that they mark together. */
export const namedEntities: Task = {
  ...tokenClassification,
  name: 'named-entities',
  words: placedWords,
  fit: (model, classes) => withTokenHead(model, classes, 'named-entities'),
  // A teacher teaches them where there is one.
  targetLosses: (settings) => [...choosing.targetLosses(settings), ...(settings.hard === 1 ? within(settings) : [])],
  besides: (settings) => (settings.hard === 1 ? [] : within(settings)),
  judge: (logits, examples, answer) => ({
    ...choosing.judge(logits, examples, answer),
    columns: { chosen: [largestOf(logits)], label: [targetOf(examples.targets, answer)] },
  }),
  together: withEntities,
};
