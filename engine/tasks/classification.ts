import { logSumExp } from '../../data/rows.ts';
import { idTargets, targetOf } from '../../data/targets.ts';
import { withClassificationHead, withTokenHead } from '../../models/head.ts';

import { crossEntropy, distillation } from '../losses/index.ts';
import { wholeTexts, words } from '../read.ts';
import type { Task } from './task.ts';

/** What choices of classes have in common, whether of texts or of words: accuracy and cross-entropy. */
const choosing: Pick<Task, 'chooses' | 'answering' | 'targetLosses' | 'imitation' | 'judge'> = {
  chooses: true,
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
  unit: 'texts',
  encode: wholeTexts,
  targets: (examples) => idTargets(examples.map(({ label = -1 }) => label)),
  fit: withClassificationHead,
};

/** One class a word, said at the word's first token; other tokens say nothing and have no loss. */
export const tokenClassification: Task = {
  ...choosing,
  name: 'token-classification',
  unit: 'words',
  encode: words,
  targets: (examples, encoded) =>
    idTargets(
      encoded.flatMap(({ places = [] }, i) => Array.from(places, (_, word) => examples[i]?.tags?.[word] ?? -1)),
    ),
  fit: withTokenHead,
};
